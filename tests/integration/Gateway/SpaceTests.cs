using Millrace.Mqtt;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Devices that publish to each other.</summary>
public class SpaceTests
{
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    private TemporaryFolder _folder = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _host = await GatewayHost.StartInAsync(
            _folder.Path, SpaceSettings.With(("Gateway:Sessions:QueueMessagesMax", "5")));
        await _host.AddDeviceAsync("boss", device => device with { TagsJson = """{"role":"boss"}""" });
        await _host.AddDeviceAsync("pump-1");
        await _host.AddDeviceAsync("pump-2");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_message_comes_with_the_lower_of_both_qos(
        [Values(0, 1, 2)] int sent, [Values(0, 1, 2)] int granted, [Values] bool isKept)
    {
        using var receiver = await RawClient.LoginAsync(_host, "pump-2", ask: isKept ? Kept : null);
        await SubscribeAsync(receiver, "open/+/t", granted);
        using var sender = await RawClient.LoginAsync(_host, "pump-1");
        await PublishAsync(sender, "open/a/t", "hello", sent);
        var message = await receiver.ReadMessageAsync();

        Assert.That((message.Topic, message.Body, message.Qos, message.IsRetained),
            Is.EqualTo(("open/a/t", "hello", Math.Min(sent, granted), false)));
        Assert.That((await _host.TelemetryAsync()).Count, Is.Zero);
    }

    [Test]
    public async Task Overlapping_subscriptions_bring_one_copy_with_the_highest_qos_and_all_identifiers()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        await SubscribeAsync(client, "open/#", 0, identifier: 3);
        await SubscribeAsync(client, "open/a", 1, identifier: 4);
        await PublishAsync(client, "open/a", "x", 1, isOwnReader: true);

        var message = await SkipAckAsync(client);
        var ids = new List<uint>();
        foreach (var each in new PropertySet(message.PropertyBytes)) ids.Add(each.Number);
        Assert.That((message.Qos, ids.Order()), Is.EqualTo((1, new[] { 3u, 4u })));
        Assert.That(await client.StaysSilentAsync());
    }

    [Test]
    public async Task No_local_leaves_out_what_the_client_itself_published()
    {
        using var one = await RawClient.LoginAsync(_host, "pump-1");
        using var other = await RawClient.LoginAsync(_host, "pump-2");
        await SubscribeAsync(one, "open/a", 0, options: 4);
        await PublishAsync(one, "open/a", "mine", 1);
        await PublishAsync(other, "open/a", "yours", 1);

        Assert.That((await one.ReadMessageAsync()).Body, Is.EqualTo("yours"));
    }

    [Test]
    public async Task Members_of_a_group_share_and_one_that_is_away_is_passed_over()
    {
        using var first = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);
        using var second = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        using var sender = await RawClient.LoginAsync(_host, "boss");
        foreach (var each in new[] { first, second }) await SubscribeAsync(each, "$share/g/open/a", 1);
        for (var i = 0; i < 4; i++) await PublishAsync(sender, "open/a", $"{i}", 1);
        var bodies = new List<string>();
        foreach (var each in new[] { first, first, second, second })
        {
            var message = await each.ReadMessageAsync();
            bodies.Add(message.Body);
            await each.AnswerAsync(PacketType.PubAck, message.PacketId);
        }

        Assert.That(bodies.Order(), Is.EqualTo(new[] { "0", "1", "2", "3" }));

        second.Dispose();
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 2, "away");
        await Eventually.TrueAsync(() => _host.Meters["deliveries/done"] == 4, "acknowledged");
        for (var i = 4; i < 8; i++) await PublishAsync(sender, "open/a", $"{i}", 1);
        for (var i = 4; i < 8; i++) Assert.That((await first.ReadMessageAsync()).Body, Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task What_the_access_list_does_not_say_is_refused()
    {
        using var pump = await RawClient.LoginAsync(_host, "pump-1");
        Assert.That(await TryPublishAsync(pump, "fleet/pump-1/state"), Is.EqualTo(ReasonCode.Success));
        Assert.That(await TryPublishAsync(pump, "fleet/pump-2/state"), Is.EqualTo(ReasonCode.NotAuthorized));
        Assert.That(await TryPublishAsync(pump, "fleet/orders/pump-2"), Is.EqualTo(ReasonCode.NotAuthorized));
        Assert.That(await TryPublishAsync(pump, "fleet/pump-1/state", isRetained: true),
            Is.EqualTo(ReasonCode.NotAuthorized));
        Assert.That(await TryPublishAsync(pump, "elsewhere"), Is.EqualTo(ReasonCode.TopicNameInvalid));
        Assert.That(await TrySubscribeAsync(pump, "fleet/orders/pump-1"), Is.EqualTo(1));
        Assert.That(await TrySubscribeAsync(pump, "fleet/orders/+"), Is.EqualTo((byte)ReasonCode.NotAuthorized));
        Assert.That(await TrySubscribeAsync(pump, "#"), Is.EqualTo((byte)ReasonCode.NotAuthorized));
        Assert.That(await TrySubscribeAsync(pump, "$share//open/a"), Is.EqualTo((byte)ReasonCode.TopicFilterInvalid));
        Assert.That(_host.Meters["publishes.rejected/topic-denied"], Is.EqualTo(2));

        using var old = await RawClient.LoginAsync(_host, "pump-2", MqttVersion.V311);
        await old.PublishAsync("fleet/pump-1/state", "x", 5);
        Assert.That(await old.ReadAsync(), Is.Empty);
    }

    [Test]
    public async Task Tags_that_change_take_subscriptions_and_publishing_away_without_a_disconnect()
    {
        using var boss = await RawClient.LoginAsync(_host, "boss");
        await SubscribeAsync(boss, "fleet/#", 1);
        Assert.That(await TryPublishAsync(boss, "fleet/orders/pump-1", isOwnReader: true), Is.EqualTo(
            ReasonCode.Success));
        var identity = await _host.Identities.FindAsync("boss");
        await _host.Identities.UpdateAsync(identity! with { TagsJson = "{}" }, identity.Version);
        await _host.NoticeAsync("boss");
        await Eventually.TrueAsync(() => _host.Meters["subscriptions.revoked/access-changed"] == 1, "revoked");

        Assert.That(await TryPublishAsync(boss, "fleet/orders/pump-1"), Is.EqualTo(ReasonCode.NotAuthorized));
        Assert.That(await TryPublishAsync(boss, "fleet/boss/x"), Is.EqualTo(ReasonCode.Success));
        Assert.That(await boss.StaysSilentAsync());
    }

    [Test]
    public async Task Messages_wait_for_a_device_that_is_away_over_a_restart()
    {
        var away = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        await SubscribeAsync(away, "open/#", 2);
        away.Dispose();
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 0, "away");
        await RestartAsync();
        using (var sender = await RawClient.LoginAsync(_host, "pump-1"))
        {
            for (var i = 0; i < 6; i++) await PublishAsync(sender, "open/a", $"{i}", i % 2 + 1);
            await PublishAsync(sender, "open/a", "not kept", 0);
        }

        await Eventually.TrueAsync(() => _host.Meters["deliveries.lost/qos-0-not-connected"] == 1, "counted");
        Assert.That(_host.Meters["deliveries.lost/queue-full"], Is.EqualTo(1));
        await RestartAsync();
        using var back = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        Assert.That(back.IsPresent);
        for (var i = 0; i < 5; i++)
        {
            var message = await back.ReadMessageAsync();
            Assert.That((message.Body, message.Qos), Is.EqualTo(($"{i}", i % 2 + 1)));
        }
    }

    [Test]
    public async Task A_qos_2_publish_that_comes_again_is_delivered_once()
    {
        using var receiver = await RawClient.LoginAsync(_host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 0);
        var first = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);
        await PublishAsync(first, "open/a", "once", 2, release: false);
        first.Dispose();
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 1, "away");
        using var second = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);
        await PublishAsync(second, "open/a", "once", 2);
        await PublishAsync(second, "open/a", "next", 0);

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("once"));
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("next"));
        Assert.That(_host.Meters["exchanges.repeated"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_subscriber_that_does_not_read_is_bounded_and_counted_and_holds_up_nobody()
    {
        using var slow = await RawClient.OpenAsync(_host, receiveBytes: 4_096);
        await slow.ConnectAsync("pump-2", GatewayHost.Key);
        await slow.ReadAsync();
        await SubscribeAsync(slow, "open/#", 0);
        using var sender = await RawClient.LoginAsync(_host, "pump-1");
        var body = new string('x', 100_000);
        for (var i = 0; i < 200; i++) await PublishAsync(sender, "open/a", body, 1);

        await Eventually.TrueAsync(() => _host.Meters["deliveries.lost/queue-full"] > 0, "counted");
        Assert.That(_host.Meters["publishes.accepted"], Is.EqualTo(200));
    }

    [Test]
    public async Task More_publishes_at_once_than_the_receive_maximum_end_the_connection()
    {
        await RestartAsync(SpaceSettings.With(("Gateway:InFlightMax", "4")));
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        await client.SendAsync(target =>
        {
            for (ushort i = 1; i <= 5; i++) client.Publish(target, "open/a", "x", i, qos: 2);
        });
        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.ReceiveMaximumExceeded));
    }

    [Test]
    public async Task After_unsubscribe_nothing_comes_any_more([Values] bool isKept)
    {
        using var receiver = await RawClient.LoginAsync(_host, "pump-2", ask: isKept ? Kept : null);
        await SubscribeAsync(receiver, "open/a", 1);
        await SubscribeAsync(receiver, "open/b", 1);
        await receiver.SendAsync([0xA2, 11, 0, 5, 0, 0, 6, .. "open/a"u8]);
        Assert.That(await receiver.ReadAsync(), Is.EqualTo(new byte[] { 0xB0, 4, 0, 5, 0, 0 }));
        using var sender = await RawClient.LoginAsync(_host, "pump-1");
        await PublishAsync(sender, "open/a", "gone", 1);
        await PublishAsync(sender, "open/b", "stays", 1);

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("stays"));
    }

    [Test]
    public async Task A_will_goes_to_the_space()
    {
        using var receiver = await RawClient.LoginAsync(_host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 1);
        using (await RawClient.LoginAsync(_host, "pump-1", will: "open/wills"))
        {
        }

        var message = await receiver.ReadMessageAsync();
        Assert.That((message.Topic, message.Body), Is.EqualTo(("open/wills", "the will")));
        using var denied = await RawClient.OpenAsync(_host);
        await denied.ConnectAsync("pump-1", GatewayHost.Key, will: "fleet/pump-2/x");
        Assert.That((await denied.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.NotAuthorized));
    }

    [TestCase("telemetry")]
    [TestCase("space.open")]
    public async Task Messages_of_a_space_also_go_to_the_event_log(string topic)
    {
        await RestartAsync(SpaceSettings.ToLog(topic));
        using var receiver = await RawClient.LoginAsync(_host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 0);
        using var sender = await RawClient.LoginAsync(_host, "pump-1");
        for (var i = 0; i < 3; i++) await PublishAsync(sender, "open/a", $"{i}", 1);

        var records = await _host.RecordsAsync(topic);
        Assert.That(records.Select(r => (r.DeviceId, r.Body, r.Headers["mqtt-topic"])),
            Is.EqualTo(new[] { 0, 1, 2 }.Select(i => ("pump-1", $"{i}", "open/a"))));
        for (var i = 0; i < 3; i++) Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task Nothing_is_acknowledged_that_the_log_does_not_have()
    {
        await RestartAsync(SpaceSettings.ToLog("telemetry"));
        _host.Log.Fill(true);
        using var sender = await RawClient.LoginAsync(_host, "pump-1");
        await sender.PublishAsync("open/a", "x", 1);
        Assert.That(await sender.ReadEndAsync(), Is.EqualTo(ReasonCode.QuotaExceeded));
    }

    [Test]
    public async Task A_session_that_a_crash_left_open_can_expire()
    {
        await _host.Sessions.OpenAsync(new SessionKey("pump-1", "lost"), false, 1, DateTimeOffset.UtcNow);
        await RestartAsync();
        await Eventually.TrueAsync(() => _host.Meters["sessions.ended/expired"] == 1, "expired");
    }

    private async Task RestartAsync(params (string Key, string Value)[] settings)
    {
        await _host.DisposeAsync();
        _host = await GatewayHost.StartInAsync(_folder.Path, settings.Length > 0
            ? settings
            : SpaceSettings.With(("Gateway:Sessions:QueueMessagesMax", "5")));
    }

    private static async Task SubscribeAsync(
        RawClient client, string filter, int qos, byte options = 0, byte identifier = 0)
    {
        await client.SubscribeAsync(filter, (byte)(qos | options), identifier > 0 ? [11, identifier] : null);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, (byte)qos }));
    }

    private static async Task<byte> TrySubscribeAsync(RawClient client, string filter)
    {
        await client.SubscribeAsync(filter, 1);
        return (await client.ReadAsync())[^1];
    }

    private static async Task<ReasonCode> TryPublishAsync(
        RawClient client, string topic, bool isRetained = false, bool isOwnReader = false)
    {
        await client.SendAsync(target => client.Publish(target, topic, "x", 9, retain: isRetained));
        if (!isOwnReader) return (await client.ReadAckAsync()).Reason;
        await SkipAckAsync(client);
        return ReasonCode.Success;
    }

    private static async Task PublishAsync(
        RawClient client, string topic, string body, int qos, bool release = true, bool isOwnReader = false)
    {
        var packetId = (ushort)(qos == 0 ? 0 : 8);
        await client.SendAsync(target => client.Publish(target, topic, body, packetId, qos: qos));
        if (isOwnReader) return;
        if (qos == 1) Assert.That(await client.ReadAckAsync(), Is.EqualTo((8, ReasonCode.Success)));
        if (qos < 2) return;
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((8, ReasonCode.Success)));
        if (!release) return;
        await client.AnswerAsync(PacketType.PubRel, 8);
        Assert.That(await client.ExpectAsync(PacketType.PubComp), Is.EqualTo((8, ReasonCode.Success)));
    }

    /// <summary>The message that comes to its own publisher, before or behind the PUBACK.</summary>
    private static async Task<Received> SkipAckAsync(RawClient client)
    {
        Received? message = null;
        for (var i = 0; i < 2; i++)
        {
            var packet = await client.ReadAsync();
            if (packet[0] >> 4 == (int)PacketType.PubAck) Assert.That(packet, Has.Length.EqualTo(4));
            else message = client.MessageOf(packet);
        }

        return message!;
    }
}
