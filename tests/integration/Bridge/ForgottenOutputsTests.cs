using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Integration.Tests.Gateway;
using Millrace.Stores.Bridges;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>Gateways with different bridges on one log: none gives up the place of another.</summary>
public class ForgottenOutputsTests
{
    private const string Group = "bridge.plant";
    private static readonly TopicPartition Alerts = new(Topics.Alerts, 0);

    private ShiftedTime _time = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _time = new ShiftedTime();
        _host = await GatewayHost.StartAsync();
    }

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [TestCase(true, TestName = "What another gateway has said that it brings out")]
    [TestCase(false, TestName = "Of a version that does not say what it brings out, whatever it is")]
    public async Task Stays_until_it_was_not_heard_of_for_a_day(bool says)
    {
        var status = new BridgeStatus(
            "plant", "gateway-1", "mqtt://broker:1883", true, DateTimeOffset.UtcNow, null, null, 0, 0, 0, 0, 0, 0, 0,
            DateTimeOffset.UtcNow)
        {
            Outputs = says ? [Topics.Alerts] : null,
        };
        await _host.Bridges.WriteStatusAsync(status);
        using var records = new RecordBatchBuilder();
        records.Begin(0, Encoding.UTF8.GetBytes("pump-1"));
        records.End("{}"u8);
        await _host.Log.AppendAsync(Alerts, records);
        await _host.Log.CommitAsync(Group, Alerts, 0);
        var other = new BridgeOptions { Name = "plant", ClientId = "gateway-2" };
        other.Outputs.Add(new BridgeOutputOptions { From = Topics.DeviceMessages, Topic = "hub/{key}" });

        await LookAsync();
        await LookAsync(other);
        Assert.That(await PlaceAsync(), Is.Zero);

        _time.Move(ForgottenOutputs.HeardFor + TimeSpan.FromMinutes(1));
        await LookAsync(other);
        Assert.That(await PlaceAsync(), Is.EqualTo(1));
        await LookAsync();
        Assert.That(await PlaceAsync(), Is.Null);
    }

    [Test]
    public async Task What_a_gateway_has_given_up_itself_is_not_kept_for_its_own_word()
    {
        var own = new BridgeOptions { Name = "plant", ClientId = "gateway-1" };
        await _host.Bridges.WriteStatusAsync(new BridgeStatus(
            "plant", "gateway-1", "mqtt://broker:1883", true, DateTimeOffset.UtcNow, null, null, 0, 0, 0, 0, 0, 0, 0,
            DateTimeOffset.UtcNow)
        {
            Outputs = [Topics.Alerts],
        });
        await _host.Log.CommitAsync(Group, Alerts, 0);

        await LookAsync(own);

        Assert.That(await PlaceAsync(), Is.Null);
    }

    private ValueTask LookAsync(params BridgeOptions[] own) =>
        new ForgottenOutputs(_host.Log, _host.Bridges, own, _time, NullLogger.Instance)
            .LookAsync(CancellationToken.None);

    private async Task<long?> PlaceAsync() => (await _host.Log.CommittedAsync(Group, Alerts))?.NextOffset;
}
