using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Mqtt;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Sessions;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Two gateways of one hub, on the same log and stores.</summary>
public class TwoGatewaysTests
{
    private const string Filter = "devices/pump-1/#";
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);
    private static readonly SessionKey Key = new("pump-1", "c");
    private static readonly (string, string) Timeout = ("Gateway:Sessions:NodeTimeout", "00:00:04");
    private static readonly (string, string) Shared = ("Gateway:Limits:SharedBytesPerSecond", "64MiB");

    private TemporaryFolder _folder = null!;
    private GatewayHost _first = null!;
    private GatewayHost? _second;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _first = await GatewayHost.StartInAsync(_folder.Path, ("Node:Name", "first"), Timeout, Shared);
        await _first.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        if (_second is not null) await _second.DisposeAsync();
        _second = null;
        await _first.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_gateway_that_starts_leaves_the_sessions_of_another_alone()
    {
        using var client = await RawClient.LoginAsync(_first, "pump-1", clientId: "c", ask: Kept);
        await StartSecondAsync();

        Assert.That((await _first.Sessions.FindAsync(Key))!.IsConnected);
        await client.SendAsync([0xC0, 0]);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0xD0, 0 }));
    }

    [Test]
    public async Task A_device_that_comes_to_another_gateway_leaves_the_first_with_all_that_it_took()
    {
        var second = await StartSecondAsync();
        using var before = await RawClient.LoginAsync(_first, "pump-1", clientId: "c", ask: Kept);
        await before.PublishTwiceSafeAsync("one", packetId: 7);
        await before.ExpectAsync(PacketType.PubRec);

        using var after = await RawClient.LoginAsync(second, "pump-1", clientId: "c", ask: Kept);
        Assert.That(await before.ReadEndAsync(), Is.EqualTo(ReasonCode.SessionTakenOver));
        Assert.That(after.IsPresent);
        Assert.That(second.Meters["sessions.taken.over/answered"], Is.EqualTo(1));
        await after.PublishTwiceSafeAsync("one", packetId: 7, again: true);
        await after.ExpectAsync(PacketType.PubRec);
        Assert.That((await second.TelemetryAsync("pump-1")).Select(t => t.Body), Is.EqualTo(new[] { "one" }));
    }

    [Test]
    public async Task A_message_reaches_the_device_wherever_it_is_connected_and_comes_once()
    {
        var second = await StartSecondAsync();
        using var client = await RawClient.LoginAsync(second, "pump-1", clientId: "c", ask: Kept);
        await client.SubscribeAsync(Filter, 1);
        await client.ReadAsync();
        for (var i = 0; i < 20; i++) await _first.SendAsync("pump-1", $"{i}");
        for (var i = 0; i < 20; i++)
        {
            var message = await client.ReadMessageAsync();
            Assert.That(message.Body, Is.EqualTo($"{i}"));
            await client.AnswerAsync(PacketType.PubAck, message.PacketId);
        }

        Assert.That(await client.StaysSilentAsync());
    }

    [Test]
    public async Task What_the_hub_may_let_in_is_shared_by_the_gateways_that_are_at_work()
    {
        var whole = 2 * ByteSize.FromMiB(64).Bytes;
        Assert.That(_first.Limits.Hub.Ask(_first.Limits.NowNs).Bytes, Is.EqualTo(whole), "two seconds of it at once");
        var second = await StartSecondAsync();
        Assert.That(second.Limits.Hub.Ask(second.Limits.NowNs).Bytes, Is.EqualTo(whole / 2), "from its start");
        await Eventually.TrueAsync(
            () => _first.Limits.Hub.Ask(_first.Limits.NowNs).Bytes == whole / 2, "the first hears of it");

        await second.DisposeAsync();
        _second = null;
        await Eventually.TrueAsync(
            () => _first.Limits.Hub.Ask(_first.Limits.NowNs).Bytes == whole, "the first is alone again");
    }

    [Test]
    public async Task Sessions_of_a_gateway_that_is_not_heard_of_any_more_begin_to_expire()
    {
        await using (var dead = Stores("dead"))
        {
            var sessions = dead.GetRequiredService<ISessionStore>();
            await sessions.RenewAsync("run", TimeProvider.System.GetUtcNow());
            await sessions.OpenAsync(Key, cleanStart: true, expirySeconds: 600, TimeProvider.System.GetUtcNow());
        }

        await Eventually.TrueAsync(
            async () => await _first.Sessions.FindAsync(Key) is { IsConnected: false, ExpiresAt: not null }, "closed");
    }

    [Test]
    public async Task Nobody_waits_for_a_gateway_that_is_not_heard_of_any_more()
    {
        await using (var dead = Stores("dead"))
        {
            var sessions = dead.GetRequiredService<ISessionStore>();
            await sessions.OpenAsync(Key, cleanStart: true, expirySeconds: 600, TimeProvider.System.GetUtcNow());
        }

        using var client = await RawClient.LoginAsync(_first, "pump-1", clientId: "c", ask: Kept);
        Assert.That(client.IsPresent);
        Assert.That(_first.Meters["sessions.taken.over/unanswered"], Is.Zero);
    }

    [Test]
    public async Task Devices_of_a_gateway_that_is_not_heard_of_any_more_are_told_to_be_disconnected()
    {
        await using var dead = Stores("dead");
        await dead.GetRequiredService<ISessionStore>().RenewAsync("run", TimeProvider.System.GetUtcNow());
        var states = dead.GetRequiredService<IDeviceStateStore>();
        var connected = new LifecycleEvent(LifecycleKind.Connected, "pump-1", DateTimeOffset.UnixEpoch,
            ConnectionId: "run-7", ConnectedAt: DateTimeOffset.UnixEpoch);
        var topic = _first.Log.FindTopic(Topics.Lifecycle)!;
        var partition = new TopicPartition(topic.Name, Partitioner.PartitionOf("pump-1"u8, topic.Partitions));
        await states.WriteAsync(partition, [connected], new SinkPosition(0));

        var told = (await _first.LifecycleAsync(1))[0];
        Assert.That(told with { At = default }, Is.EqualTo(connected with
        {
            Kind = LifecycleKind.Disconnected,
            Reason = "gateway-lost",
            At = default,
        }));
        await states.WriteAsync(partition, [told], new SinkPosition(1));
        await Eventually.TrueAsync(async () => (await _first.Sessions.ListLostRunsAsync("", DateTimeOffset.MaxValue))
            .All(run => run != "run"), "it is over");
    }

    private async Task<GatewayHost> StartSecondAsync() =>
        _second = await GatewayHost.StartBesideAsync(_first, _folder.Path, ("Node:Name", "second"), Timeout, Shared);

    private ServiceProvider Stores(string node)
    {
        var settings = new Dictionary<string, string?> { ["Node:Name"] = node };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddSqliteStores();
        return services.BuildServiceProvider();
    }
}
