using System.Text;
using Millrace.Contracts;
using Millrace.Integration.Tests.Gateway;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Bridges;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>A bridge keeps to what the broker grants in CONNACK (MQTT 5 §3.2.2.3).</summary>
public class BridgeGrantTests
{
    private static readonly (string, string)[] Alerts =
        [("Outputs:0:From", "alerts"), ("Outputs:0:Topic", "hub/{key}")];

    [Test]
    public async Task No_more_is_in_flight_than_the_broker_takes_over_all_partitions()
    {
        await using var broker = new StrictBroker((PropertyId.ReceiveMaximum, 2));
        await using var host = await StartAsync(broker);
        var partitions = host.Log.FindTopic(Topics.Alerts)!.Partitions;
        broker.Shut();

        for (var partition = 0; partition < partitions; partition++) await AlertsAsync(host, partition, 10);
        await Eventually.TrueAsync(() => broker.Published.Count >= 2, "the first two come");
        broker.Open();

        await Eventually.TrueAsync(() => host.Meters["bridge.sent/plant"] == 10 * partitions, "all are acknowledged");
        Assert.That(partitions, Is.GreaterThan(1));
        Assert.That(broker.InFlightMost, Is.EqualTo(2));
        Assert.That(broker.Published, Has.Count.EqualTo(10 * partitions), "none is sent twice");
        Assert.That(broker.Connections, Is.EqualTo(1));
        for (var partition = 0; partition < partitions; partition++) await CommittedAsync(host, partition, 10);
    }

    [Test]
    public async Task A_broker_is_heard_of_as_often_as_it_asks()
    {
        await using var broker = new StrictBroker((PropertyId.ServerKeepAlive, 1));
        await using var host = await StartAsync(broker, ("KeepAlive", "01:00:00"));

        await Eventually.TrueAsync(() => broker.Pings >= 2, "it is pinged");
        Assert.That(broker.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task To_a_broker_that_takes_qos_0_alone_nothing_goes_out_and_the_status_says_why()
    {
        await using var broker = new StrictBroker((PropertyId.MaximumQos, 0));
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos: 0, more: Alerts));

        var status = await FailedAsync(host);
        await AlertsAsync(host, 0, 1);
        await Eventually.TrueAsync(() => broker.Connections > 2, "the bridge tries again");

        Assert.That(status.LastError, Does.StartWith("GW-0103").And.Contain("at most QoS 0"));
        Assert.That(host.Meters["bridge.connected/plant"], Is.Zero);
        Assert.That(host.Meters["bridge.failures/plant"], Is.Positive);
        Assert.That(broker.Published, Is.Empty);
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.Zero);
    }

    [Test]
    public async Task A_broker_that_takes_qos_0_alone_may_be_subscribed_to()
    {
        await using var broker = new StrictBroker((PropertyId.MaximumQos, 0));
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos: 0));
        await BridgeIntakeTests.ConnectedAsync(host);
        Assert.That(broker.Connections, Is.EqualTo(1));
    }

    [TestCase(PropertyId.WildcardSubscriptionAvailable, "", "wildcards")]
    [TestCase(PropertyId.SharedSubscriptionAvailable, "gateways", "SharedGroup")]
    public async Task What_the_broker_has_no_subscriptions_for_is_said(PropertyId lacking, string group, string says)
    {
        await using var broker = new StrictBroker((lacking, 0));
        await using var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(broker.Port, more: [("SharedGroup", group)]));

        Assert.That((await FailedAsync(host)).LastError, Does.StartWith("GW-0103").And.Contain(says));
    }

    private static async Task<GatewayHost> StartAsync(StrictBroker broker, params (string, string)[] more)
    {
        var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, more: [.. Alerts, .. more]));
        await BridgeIntakeTests.ConnectedAsync(host);
        var partitions = host.Log.FindTopic(Topics.Alerts)!.Partitions;
        for (var partition = 0; partition < partitions; partition++) await CommittedAsync(host, partition, 0);
        return host;
    }

    private static async Task AlertsAsync(GatewayHost host, int partition, int count)
    {
        using var records = new RecordBatchBuilder();
        for (var n = 0; n < count; n++)
        {
            records.Begin(0, Encoding.UTF8.GetBytes($"pump-{partition}"));
            records.End(Encoding.UTF8.GetBytes($$"""{"n":{{n}}}"""));
        }

        await host.Log.AppendAsync(new TopicPartition(Topics.Alerts, partition), records);
    }

    private static Task CommittedAsync(GatewayHost host, int partition, long offset) => Eventually.TrueAsync(
        async () => (await host.Log.CommittedAsync("bridge.plant", new TopicPartition(Topics.Alerts, partition)))
            ?.NextOffset == offset, $"offset {offset} is committed");

    private static async Task<BridgeStatus> FailedAsync(GatewayHost host)
    {
        BridgeStatus? status = null;
        await Eventually.TrueAsync(async () =>
        {
            status = (await host.Bridges.ListStatusAsync(DateTimeOffset.UnixEpoch)).SingleOrDefault();
            return status?.LastError is not null;
        }, "the status");
        return status!;
    }
}
