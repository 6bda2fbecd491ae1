using Millrace.Contracts;
using Millrace.Mqtt;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Messages to devices: live, queued while they are away, and sent again.</summary>
public class DeliveryTests() : KeptGatewayTests(("Gateway:Sessions:QueueMessagesMax", "5"))
{
    private const string Filter = "devices/pump-1/#";
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [Test]
    public async Task A_message_comes_with_the_lower_of_both_qos(
        [Values(0, 1, 2)] int sent, [Values(0, 1, 2)] int granted, [Values] bool isKept)
    {
        using var client = await SubscribedAsync(isKept ? Kept : null, granted);
        await Host.SendAsync("pump-1", "go", qos: sent);
        var message = await client.ReadMessageAsync();

        Assert.That((message.Topic, message.Body, message.Qos, message.IsAgain),
            Is.EqualTo(("devices/pump-1/messages/devicebound", "go", Math.Min(sent, granted), false)));
        await AcknowledgeAsync(client, message);
        await Host.SendAsync("pump-1", "next", qos: 0);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("next"));
        if (isKept) await Eventually.TrueAsync(async () => await QueuedAsync() == 0, "removed from the queue");
    }

    [Test]
    public async Task Messages_wait_for_a_device_that_is_away_over_a_restart_and_come_in_order()
    {
        using (await SubscribedAsync(Kept, 2))
        {
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        for (var i = 0; i < 5; i++) await Host.SendAsync("pump-1", $"{i}", qos: i % 2 + 1);
        await Eventually.TrueAsync(async () => await QueuedAsync() == 5, "queued");
        await Host.SendAsync("pump-1", "too many");
        await Host.SendAsync("pump-1", "not kept", qos: 0);
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/queue-full"] == 1, "counted");
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/qos-0-not-connected"] == 1, "counted");
        await RestartAsync();

        using var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        Assert.That(client.IsPresent);
        for (var i = 0; i < 5; i++)
        {
            var message = await client.ReadMessageAsync();
            Assert.That((message.Body, message.Qos, message.IsAgain), Is.EqualTo(($"{i}", i % 2 + 1, false)));
        }
    }

    [Test]
    public async Task What_was_not_acknowledged_comes_again_with_dup_under_the_same_packet_identifiers()
    {
        var first = await SubscribedAsync(Kept, 2);
        for (var i = 0; i < 3; i++) await Host.SendAsync("pump-1", $"{i}", qos: 2);
        var sent = new List<Received>();
        for (var i = 0; i < 3; i++) sent.Add(await first.ReadMessageAsync());
        await AcknowledgeAsync(first, sent[0]);
        await first.AnswerAsync(PacketType.PubRec, sent[1].PacketId);
        Assert.That((await first.ExpectAsync(PacketType.PubRel)).PacketId, Is.EqualTo(sent[1].PacketId));
        first.Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        await RestartAsync();

        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        Assert.That((await second.ExpectAsync(PacketType.PubRel)).PacketId, Is.EqualTo(sent[1].PacketId));
        var again = await second.ReadMessageAsync();
        Assert.That(again, Is.EqualTo(sent[2] with { IsAgain = true, PropertyBytes = again.PropertyBytes }));
        await second.AnswerAsync(PacketType.PubComp, sent[1].PacketId);
        await AcknowledgeAsync(second, again);
        await Eventually.TrueAsync(async () => await QueuedAsync() == 0, "removed from the queue");
    }

    [Test]
    public async Task No_more_are_in_flight_than_the_client_takes()
    {
        using var client = await SubscribedAsync(Kept with { ReceiveMaximum = 2 }, 1);
        for (var i = 0; i < 4; i++) await Host.SendAsync("pump-1", $"{i}");
        var first = await client.ReadMessageAsync();
        await client.ReadMessageAsync();
        Assert.That(await client.StaysSilentAsync());

        await AcknowledgeAsync(client, first);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("2"));
        Assert.That(await client.StaysSilentAsync());
    }

    [Test]
    public async Task Properties_expiry_aliases_and_subscription_identifiers_go_with_a_message()
    {
        using var client = await SubscribedAsync(Kept with { AliasMax = 5 }, 1, identifier: 7);
        await Host.SendAsync("pump-1", "a", expiresAt: DateTimeOffset.UtcNow.AddMinutes(1));
        await Host.SendAsync("pump-1", "b");
        var first = await client.ReadMessageAsync();
        var second = await client.ReadMessageAsync();

        Assert.That(first.Number(PropertyId.SubscriptionIdentifier), Is.EqualTo(7));
        Assert.That(first.Number(PropertyId.MessageExpiryInterval), Is.InRange(30, 60));
        Assert.That((first.Topic, first.Number(PropertyId.TopicAlias)),
            Is.EqualTo(("devices/pump-1/messages/devicebound", 1u)));
        Assert.That((second.Topic, second.Number(PropertyId.TopicAlias)), Is.EqualTo(("", 1u)));
    }

    [Test]
    public async Task A_message_that_several_subscriptions_want_comes_once_with_all_their_identifiers()
    {
        using var client = await SubscribedAsync(Kept, 0, identifier: 7);
        await client.SubscribeAsync("devices/pump-1/+/devicebound", 1, [11, 8]);
        await client.ReadAsync();
        await Host.SendAsync("pump-1", "a");
        var message = await client.ReadMessageAsync();

        Assert.That(message.Qos, Is.EqualTo(1));
        Assert.That(message.PropertyBytes, Is.EqualTo(new byte[] { 11, 7, 11, 8 }).Or
            .EqualTo(new byte[] { 11, 8, 11, 7 }));
        Assert.That(await client.StaysSilentAsync());
    }

    [Test]
    public async Task Subscriptions_beyond_the_limit_are_refused()
    {
        await RestartAsync(("Gateway:Limits:Device:SubscriptionsMax", "1"));
        using var client = await SubscribedAsync(Kept, 1);
        await client.SubscribeAsync("devices/pump-1/a", 1);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, 0x97 }));
        await client.SubscribeAsync(Filter, 2);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, 2 }), "it is replaced");
        Assert.That(Host.Meters["subscriptions.refused/subscriptions-max"], Is.EqualTo(1));
    }

    [Test]
    public async Task What_cannot_be_delivered_is_counted_and_does_not_hold_up_what_can()
    {
        using var client = await SubscribedAsync(Kept with { PacketBytesMax = 200 }, 1);
        await Host.SendAsync("pump-1", new string('x', 300));
        await Host.SendAsync("pump-1", "late", expiresAt: DateTimeOffset.UtcNow.AddMinutes(-1));
        await Host.SendAsync("pump-1", "good");

        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("good"));
        Assert.That(Host.Meters["deliveries.lost/too-large-for-client"], Is.EqualTo(1));
        Assert.That(Host.Meters["deliveries.lost/message-expired"], Is.EqualTo(1));
        await Host.AddDeviceAsync("pump-2");
        await Host.SendAsync("pump-2", "nobody");
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/no-session"] == 1, "counted");
    }

    [Test]
    public async Task An_acknowledgement_of_the_wrong_kind_is_a_protocol_error()
    {
        using var client = await SubscribedAsync(null, 1);
        await Host.SendAsync("pump-1", "a");
        var message = await client.ReadMessageAsync();
        await client.AnswerAsync(PacketType.PubRec, message.PacketId);

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.ProtocolError));
    }

    [Test]
    public async Task After_unsubscribe_nothing_comes_any_more()
    {
        using var client = await SubscribedAsync(Kept, 1);
        await client.SendAsync([0xA2, 21, 0, 5, 0, 0, 16, .. "devices/pump-1/#"u8]);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0xB0, 4, 0, 5, 0, 0 }));
        await client.SendAsync([0xA2, 21, 0, 6, 0, 0, 16, .. "devices/pump-1/#"u8]);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0xB0, 4, 0, 6, 0, 0x11 }));

        await Host.SendAsync("pump-1", "a");
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/no-session"] == 1, "counted");
        Assert.That(await client.StaysSilentAsync());
    }

    [Test]
    public async Task A_message_that_was_sent_is_sent_again_when_it_has_expired_since()
    {
        var expiresAt = DateTimeOffset.UtcNow.AddSeconds(3);
        Received sent;
        using (var first = await SubscribedAsync(Kept, 2))
        {
            await Host.SendAsync("pump-1", "go", qos: 2, expiresAt: expiresAt);
            sent = await first.ReadMessageAsync();
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        await Eventually.TrueAsync(() => DateTimeOffset.UtcNow > expiresAt.AddMilliseconds(1), "expired");
        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        var again = await second.ReadMessageAsync();
        Assert.That(again, Is.EqualTo(sent with { IsAgain = true, PropertyBytes = again.PropertyBytes }));
        Assert.That(again.Number(PropertyId.MessageExpiryInterval), Is.Zero);
        Assert.That(Host.Meters["deliveries.lost/message-expired"], Is.Zero);
    }

    [Test]
    public async Task A_session_that_has_expired_is_gone_with_what_waited_in_it()
    {
        using (await SubscribedAsync(Kept with { Expiry = 3 }, 1))
        {
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        await Host.SendAsync("pump-1", "a");
        await Eventually.TrueAsync(() => Host.Meters["sessions.ended/expired"] == 1, "swept");
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/session-expired"] == 1, "with what waited");
        using var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        Assert.That(client.IsPresent, Is.False);
    }

    [Test]
    public async Task A_deleted_device_leaves_no_session()
    {
        using (await SubscribedAsync(Kept, 1))
        {
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        await Host.DeleteDeviceAsync("pump-1");
        await Host.NoticeAsync("pump-1");
        await Eventually.TrueAsync(() => Host.Meters["sessions.ended/device-deleted"] == 1, "ended");
        Assert.That(await Host.Sessions.OfDeviceAsync("pump-1"), Is.Empty);
    }

    [Test]
    public async Task A_message_that_another_gateway_has_queued_comes_to_the_connection_that_is_here()
    {
        using var client = await SubscribedAsync(Kept, 1);
        var partition = new TopicPartition(Topics.DeviceMessages, Partitioner.PartitionOf("pump-1"u8,
            Host.Log.FindTopic(Topics.DeviceMessages)!.Partitions));
        var source = new PartitionOffset(partition, (await Host.Log.RangeAsync(partition)).Next);
        var message = new OutboundMessage(
            "devices/pump-1/messages/devicebound", 1, false, [], "go"u8.ToArray(), null, source, []);
        await Host.Sessions.EnqueueAsync([new SessionMessage(
            new SessionKey("pump-1", "pump-1"), message, new QueueLimits(5, 1 << 20))], DateTimeOffset.UtcNow);
        await Host.SendAsync("pump-1", "go");

        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("go"));
        Assert.That(await client.StaysSilentAsync());
    }

    private async Task<RawClient> SubscribedAsync(SessionAsk? ask, int qos, byte identifier = 0)
    {
        var client = await RawClient.LoginAsync(Host, "pump-1", ask: ask);
        await client.SubscribeAsync(Filter, (byte)qos, identifier > 0 ? [11, identifier] : null);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, (byte)qos }));
        return client;
    }

    private static async Task AcknowledgeAsync(RawClient client, Received message)
    {
        if (message.Qos == 1) await client.AnswerAsync(PacketType.PubAck, message.PacketId);
        if (message.Qos < 2) return;
        await client.AnswerAsync(PacketType.PubRec, message.PacketId);
        var release = await client.ExpectAsync(PacketType.PubRel);
        Assert.That(release, Is.EqualTo(((int)message.PacketId, ReasonCode.Success)));
        await client.AnswerAsync(PacketType.PubComp, message.PacketId);
    }

    private async Task<int> QueuedAsync() =>
        (await Host.Sessions.FindAsync(new SessionKey("pump-1", "pump-1")))!.Queued;
}
