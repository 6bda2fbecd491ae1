using Millrace.Mqtt;
using Millrace.Mqtt.Properties;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Devices that publish to each other: who gets what.</summary>
public class SpaceTests : SpaceGatewayTests
{
    [Test]
    public async Task A_message_comes_with_the_lower_of_both_qos(
        [Values(0, 1, 2)] int sent, [Values(0, 1, 2)] int granted, [Values] bool isKept)
    {
        using var receiver = await RawClient.LoginAsync(Host, "pump-2", ask: isKept ? Kept : null);
        await SubscribeAsync(receiver, "open/+/t", granted);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        await PublishAsync(sender, "open/a/t", "hello", sent);
        var message = await receiver.ReadMessageAsync();

        Assert.That((message.Topic, message.Body, message.Qos, message.IsRetained),
            Is.EqualTo(("open/a/t", "hello", Math.Min(sent, granted), false)));
        Assert.That((await Host.TelemetryAsync()).Count, Is.Zero);
    }

    [Test]
    public async Task Overlapping_subscriptions_bring_one_copy_with_the_highest_qos_and_all_identifiers()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
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
        using var one = await RawClient.LoginAsync(Host, "pump-1");
        using var other = await RawClient.LoginAsync(Host, "pump-2");
        await SubscribeAsync(one, "open/a", 0, options: 4);
        await PublishAsync(one, "open/a", "mine", 1);
        await PublishAsync(other, "open/a", "yours", 1);

        Assert.That((await one.ReadMessageAsync()).Body, Is.EqualTo("yours"));
    }

    [Test]
    public async Task Members_of_a_group_share_and_one_that_is_away_is_passed_over()
    {
        using var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        using var second = await RawClient.LoginAsync(Host, "pump-2", ask: Kept);
        using var sender = await RawClient.LoginAsync(Host, "boss");
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
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 2, "away");
        await Eventually.TrueAsync(() => Host.Meters["deliveries/done"] == 4, "acknowledged");
        for (var i = 4; i < 8; i++) await PublishAsync(sender, "open/a", $"{i}", 1);
        for (var i = 4; i < 8; i++) Assert.That((await first.ReadMessageAsync()).Body, Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task What_the_access_list_does_not_say_is_refused()
    {
        using var pump = await RawClient.LoginAsync(Host, "pump-1");
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
        Assert.That(Host.Meters["publishes.rejected/topic-denied"], Is.EqualTo(2));

        using var old = await RawClient.LoginAsync(Host, "pump-2", MqttVersion.V311);
        await old.PublishAsync("fleet/pump-1/state", "x", 5);
        Assert.That(await old.ReadAsync(), Is.Empty);
    }

    [Test]
    public async Task Tags_that_change_take_subscriptions_and_publishing_away_without_a_disconnect()
    {
        using var boss = await RawClient.LoginAsync(Host, "boss");
        await SubscribeAsync(boss, "fleet/#", 1);
        Assert.That(await TryPublishAsync(boss, "fleet/orders/pump-1", isOwnReader: true), Is.EqualTo(
            ReasonCode.Success));
        var identity = await Host.Identities.FindAsync("boss");
        await Host.Identities.UpdateAsync(identity! with { TagsJson = "{}" }, identity.Version);
        await Host.NoticeAsync("boss");
        await Eventually.TrueAsync(() => Host.Meters["subscriptions.revoked/access-changed"] == 1, "revoked");

        Assert.That(await TryPublishAsync(boss, "fleet/orders/pump-1"), Is.EqualTo(ReasonCode.NotAuthorized));
        Assert.That(await TryPublishAsync(boss, "fleet/boss/x"), Is.EqualTo(ReasonCode.Success));
        Assert.That(await boss.StaysSilentAsync());
    }

    [Test]
    public async Task A_subscriber_that_does_not_read_is_bounded_and_counted_and_holds_up_nobody()
    {
        using var slow = await RawClient.OpenAsync(Host, receiveBytes: 4_096);
        await slow.ConnectAsync("pump-2", GatewayHost.Key);
        await slow.ReadAsync();
        await SubscribeAsync(slow, "open/#", 0);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        var body = new string('x', 100_000);
        for (var i = 0; i < 200; i++) await PublishAsync(sender, "open/a", body, 1);

        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/queue-full"] > 0, "counted");
        Assert.That(Host.Meters["publishes.accepted"], Is.EqualTo(200));
    }

    [Test]
    public async Task More_publishes_at_once_than_the_receive_maximum_end_the_connection()
    {
        await RestartAsync(SpaceSettings.With(("Gateway:InFlightMax", "4")));
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        await client.SendAsync(target =>
        {
            for (ushort i = 1; i <= 5; i++) client.Publish(target, "open/a", "x", i, qos: 2);
        });
        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.ReceiveMaximumExceeded));
    }

    [Test]
    public async Task A_publish_that_comes_again_is_answered_behind_those_to_spaces_before_it()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        await client.PublishTwiceSafeAsync("once", packetId: 7);
        await client.ExpectAsync(PacketType.PubRec);
        await client.SendAsync(target =>
        {
            client.Publish(target, "open/a", "x", 1);
            client.Publish(target, "telemetry", "once", 7, qos: 2, again: true);
        });

        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((7, ReasonCode.Success)));
    }

    [Test]
    public async Task After_unsubscribe_nothing_comes_any_more([Values] bool isKept)
    {
        using var receiver = await RawClient.LoginAsync(Host, "pump-2", ask: isKept ? Kept : null);
        await SubscribeAsync(receiver, "open/a", 1);
        await SubscribeAsync(receiver, "open/b", 1);
        await receiver.SendAsync([0xA2, 11, 0, 5, 0, 0, 6, .. "open/a"u8]);
        Assert.That(await receiver.ReadAsync(), Is.EqualTo(new byte[] { 0xB0, 4, 0, 5, 0, 0 }));
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        await PublishAsync(sender, "open/a", "gone", 1);
        await PublishAsync(sender, "open/b", "stays", 1);

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("stays"));
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

}
