using Millrace.Mqtt;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Groups that share a subscription: what is acknowledged is not lost while a member has room.</summary>
public class SharedSubscriptionTests : SpaceGatewayTests
{
    private const string Slow = "pump-2";
    private const string Other = "pump-1";

    [Test]
    public async Task What_finds_a_member_full_goes_to_another_one()
    {
        await RestartAsync(LimitSlow("QueueMessagesMax", "3"));
        using var slow = await SubscribeAsync(Slow, Kept);
        using var other = await SubscribeAsync(Other, Kept);
        await PublishAsync(0, 10);
        for (var i = 0; i < 7; i++) await other.ReadMessageAsync();
        Assert.That(await QueuedAsync(Slow), Is.EqualTo(3));

        // Each of these makes the slow one take one more, and find out for another one that it is full again.
        for (var i = 0; i < 3; i++)
        {
            await slow.AnswerAsync(PacketType.PubAck, (await slow.ReadMessageAsync()).PacketId);
            await Eventually.TrueAsync(async () => await QueuedAsync(Slow) == 2, "acknowledged");
            await Eventually.TrueAsync(async () =>
            {
                await PublishAsync(10, 2);
                return await QueuedAsync(Slow) == 3;
            }, "full again");
        }

        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.Zero);
        Assert.That(Host.Meters["deliveries/queued"], Is.EqualTo(Host.Meters["publishes.accepted"]));
    }

    [Test]
    public async Task One_that_is_away_keeps_what_others_have_no_room_for()
    {
        await RestartAsync(LimitSlow("QueueMessagesMax", "3"));
        (await SubscribeAsync(Other, Kept)).Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        using var slow = await SubscribeAsync(Slow, new SessionAsk(Clean: true, ReceiveMaximum: 1));
        await slow.SendAsync([0xC0, 0]);
        Assert.That((await slow.ReadAsync())[0], Is.EqualTo(0xD0));
        await PublishAsync(0, 10);

        var got = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var message = await slow.ReadMessageAsync();
            got.Add(message.Body);
            await slow.AnswerAsync(PacketType.PubAck, message.PacketId);
        }

        using var back = await RawClient.LoginAsync(Host, Other, ask: Kept);
        for (var i = 0; i < 6; i++) got.Add((await back.ReadMessageAsync()).Body);
        Assert.That(got.Order(), Is.EqualTo(Enumerable.Range(0, 10).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_message_too_large_for_one_goes_to_another_and_later_ones_still_come_to_both()
    {
        await RestartAsync(LimitSlow("QueueBytesMax", "2KiB"));
        using var slow = await SubscribeAsync(Slow, Kept);
        using var other = await SubscribeAsync(Other, Kept);
        var large = new string('x', 4_000);
        using var sender = await RawClient.LoginAsync(Host, "boss");
        for (var i = 0; i < 2; i++) await PublishAsync(sender, "open/a", large, 1);
        for (var i = 0; i < 2; i++) Assert.That((await other.ReadMessageAsync()).Body, Is.EqualTo(large));
        for (var i = 0; i < 4; i++) await PublishAsync(sender, "open/a", "small", 1);

        foreach (var each in new[] { slow, other, slow, other })
            Assert.That((await each.ReadMessageAsync()).Body, Is.EqualTo("small"));
        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.Zero);
    }

    [Test]
    public async Task What_no_member_has_room_for_is_counted_once()
    {
        await RestartAsync(SpaceSettings.With(("Gateway:Sessions:QueueMessagesMax", "2")));
        using var one = await SubscribeAsync(Slow, Kept);
        using var other = await SubscribeAsync(Other, Kept);
        await PublishAsync(0, 7);

        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.EqualTo(3));
        Assert.That(await QueuedAsync(Slow) + await QueuedAsync(Other), Is.EqualTo(4));
    }

    [Test]
    public async Task What_expires_in_a_member_that_was_full_makes_room_for_what_another_has_none_for()
    {
        await RestartAsync(SpaceSettings.With(("Gateway:Sessions:QueueMessagesMax", "2")));
        foreach (var device in new[] { Slow, Other }) (await SubscribeAsync(device, Kept)).Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        using var sender = await RawClient.LoginAsync(Host, "boss");

        // By turns: one gets those that last, the other those that expire.
        for (var i = 0; i < 2; i++)
        {
            await PublishAsync(sender, "open/a", "lasting", 1);
            await sender.PublishAsync("open/a", "brief", 8, properties: [2, 0, 0, 0, 1]);
            await sender.ReadAckAsync();
        }

        var expired = DateTimeOffset.UtcNow.AddSeconds(1);
        await PublishAsync(4, 2);
        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.EqualTo(2), "both are known to be full");
        await Eventually.TrueAsync(() => DateTimeOffset.UtcNow > expired, "it has expired");
        await PublishAsync(6, 2);

        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.EqualTo(2));
    }

    private static (string Key, string Value)[] LimitSlow(string option, string value) => SpaceSettings.With(
        ("Gateway:Limits:Devices:0:DeviceIds:0", Slow), ($"Gateway:Limits:Devices:0:{option}", value));

    private async Task<RawClient> SubscribeAsync(string device, SessionAsk ask)
    {
        var client = await RawClient.LoginAsync(Host, device, ask: ask);
        await SubscribeAsync(client, "$share/g/open/a", 1);
        return client;
    }

    private async Task PublishAsync(int first, int count)
    {
        using var sender = await RawClient.LoginAsync(Host, "boss");
        for (var i = first; i < first + count; i++) await PublishAsync(sender, "open/a", $"{i}", 1);
    }

    private async Task<int> QueuedAsync(string device) =>
        (await Host.Sessions.FindAsync(new SessionKey(device, device)))!.Queued;
}
