using Millrace.Mqtt;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What a kept session leaves of a shared subscription when it ends (MQTT 5 §4.8.2).</summary>
public class SharedKeptSessionEndTests : SpaceGatewayTests
{
    private const string First = "pump-1";
    private const string Other = "pump-2";
    private const string Shared = "$share/g/open/a";

    private static readonly SessionKey Key = new(First, First);
    private static readonly SessionAsk OneAtOnce = new(Expiry: 600, ReceiveMaximum: 1);

    public enum End
    {
        Expiry,
        NoExpiryAnyMore,
        CleanStart,
        CleanStartWhileConnected,
        InMemoryInstead,
        RoomForAnother,
        DeviceDeleted,
    }

    [Test]
    public async Task What_waits_goes_to_another_member_in_order_and_nothing_of_qos_2_comes_twice(
        [Values] End end, [Values(1, 2)] int qos)
    {
        await RestartAsync(SpaceSettings.With(("Gateway:Sessions:SessionsMax", "1")));
        using var first = await SubscribeAsync(First, qos, OneAtOnce);
        await PublishAsync(6, qos);
        await AcknowledgeAsync(first, await first.ReadMessageAsync());
        Assert.That((await first.ReadMessageAsync()).Body, Is.EqualTo("1"));
        using var other = await SubscribeAsync(Other, qos, OneAtOnce with { Expiry = 0 });
        using var next = await EndAsync(first, end);

        string[] left = qos == 1 ? ["1", "2", "3", "4", "5"] : ["2", "3", "4", "5"];
        Assert.That(await ReadAsync(other, left.Length), Is.EqualTo(left));
        Assert.That(await other.StaysSilentAsync());
        await Eventually.TrueAsync(() => Lost() == 5 - left.Length, "what was in flight with QoS 2 is lost");
        Assert.That(Host.Meters["deliveries/passed-on"], Is.EqualTo(left.Length));
        Assert.That((await Host.Sessions.FindAsync(Key))?.Queued ?? 0, Is.Zero);
    }

    [Test]
    public async Task What_the_client_has_received_with_qos_2_goes_to_nobody_else()
    {
        using (var first = await SubscribeAsync(First, 2, OneAtOnce))
        {
            await PublishAsync(2, 2);
            var received = await first.ReadMessageAsync();
            await first.AnswerAsync(PacketType.PubRec, received.PacketId);
            await first.ExpectAsync(PacketType.PubRel);
        }

        await AwayAsync();
        using var other = await SubscribeAsync(Other, 2, new(Clean: true));
        using var next = await RawClient.LoginAsync(Host, First, ask: new(Clean: true));

        Assert.That(await ReadAsync(other, 1), Is.EqualTo(["1"]));
        Assert.That(await other.StaysSilentAsync());
        Assert.That(Host.Meters["deliveries.lost/session-ended"], Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_for_one_alone_and_what_has_no_other_member_is_lost_and_counted()
    {
        using (var first = await SubscribeAsync(First, 1, OneAtOnce))
        {
            await SubscribeAsync(first, "open/b", 1);
            await PublishAsync(3, 1);
            using var sender = await RawClient.LoginAsync(Host, "boss");
            await PublishAsync(sender, "open/b", "b", 1);
        }

        await AwayAsync();
        using var other = await RawClient.LoginAsync(Host, Other);
        await SubscribeAsync(other, "open/b", 1);
        await SubscribeAsync(other, "$share/another/open/a", 1);
        using var next = await RawClient.LoginAsync(Host, First, ask: new(Clean: true));

        Assert.That(Host.Meters["deliveries.lost/session-ended"], Is.EqualTo(4));
        Assert.That(Host.Meters["deliveries/passed-on"], Is.Zero);
        Assert.That(await other.StaysSilentAsync());
    }

    [Test]
    public async Task What_has_expired_goes_to_nobody_else()
    {
        using (var first = await SubscribeAsync(First, 1, OneAtOnce))
        using (var sender = await RawClient.LoginAsync(Host, "boss"))
        {
            await sender.PublishAsync("open/a", "short", 8, properties: [2, 0, 0, 0, 1]);
            await sender.ReadAckAsync();
            await PublishAsync(sender, "open/a", "long", 1);
        }

        await AwayAsync();
        using var other = await SubscribeAsync(Other, 1, new(Clean: true));
        var session = (await Host.Sessions.FindAsync(Key))!;
        var expiry = (await Host.Sessions.QueueAsync(Key, 0, 1, 1)).Single().Message.ExpiresAt;
        await Eventually.TrueAsync(() => DateTimeOffset.UtcNow > expiry, "expired");
        using var next = await RawClient.LoginAsync(Host, First, ask: new(Clean: true));

        Assert.That(session.Queued, Is.EqualTo(2));
        Assert.That(await ReadAsync(other, 1), Is.EqualTo(["long"]));
        Assert.That(await other.StaysSilentAsync());
        Assert.That(Host.Meters["deliveries.lost/session-ended"], Is.EqualTo(1));
    }

    [Test]
    public async Task What_a_gateway_had_taken_that_died_is_passed_on_by_the_next_sweep()
    {
        using (await SubscribeAsync(First, 1, OneAtOnce)) await PublishAsync(5, 1);
        await AwayAsync();
        using var other = await SubscribeAsync(Other, 1, new(Clean: true));
        var epoch = (await Host.Sessions.FindAsync(Key))!.Epoch;
        await Host.Sessions.EndAsync(Key, epoch, DateTimeOffset.UtcNow - StoredSession.HeldFor);

        Assert.That(await ReadAsync(other, 5), Is.EqualTo(["0", "1", "2", "3", "4"]));
        await Eventually.TrueAsync(async () => await Host.Sessions.FindAsync(Key) is null, "removed");
        Assert.That(Host.Meters["sessions.ended/expired"], Is.EqualTo(1));
        Assert.That(Lost(), Is.Zero);
    }

    [Test]
    public async Task What_expires_while_the_gateway_is_away_waits_for_members_that_come_back()
    {
        using var first = await SubscribeAsync(First, 1, OneAtOnce);
        await PublishAsync(5, 1);
        await first.SendAsync([0xE0, 7, 0, 5, 17, 0, 0, 0, 1]);
        await AwayAsync();
        var expiry = (await Host.Sessions.FindAsync(Key))!.ExpiresAt;
        await RestartAsync(() => Eventually.TrueAsync(() => DateTimeOffset.UtcNow > expiry, "expired"));
        var held = (await Host.Sessions.FindAsync(Key))!;
        Assert.That((held.ExpiresAt, held.Queued), Is.EqualTo((DateTimeOffset.UnixEpoch, 5)));
        using var other = await SubscribeAsync(Other, 1, new(Clean: true));

        // Half a minute passes.
        await Host.Sessions.EndAsync(Key, held.Epoch, DateTimeOffset.UtcNow - StoredSession.HeldFor);
        Assert.That(await ReadAsync(other, 5), Is.EqualTo(["0", "1", "2", "3", "4"]));
        Assert.That(Lost(), Is.Zero);
    }

    private async Task<RawClient> SubscribeAsync(string device, int qos, SessionAsk ask)
    {
        var client = await RawClient.LoginAsync(Host, device, ask: ask);
        await SubscribeAsync(client, Shared, qos);
        return client;
    }

    private async Task PublishAsync(int count, int qos)
    {
        using var sender = await RawClient.LoginAsync(Host, "boss");
        for (var i = 0; i < count; i++) await PublishAsync(sender, "open/a", $"{i}", qos);
    }

    /// <returns>The connection that has taken the place of the first, if one has.</returns>
    private async Task<RawClient?> EndAsync(RawClient first, End end)
    {
        if (end == End.CleanStartWhileConnected) return await CleanAsync(First, expiry: 600);
        if (end == End.NoExpiryAnyMore)
        {
            await first.SendAsync([0xE0, 7, 0, 5, 17, 0, 0, 0, 0]);
            return null;
        }

        if (end == End.Expiry)
        {
            await first.SendAsync([0xE0, 7, 0, 5, 17, 0, 0, 0, 1]);
            return null;
        }

        first.Dispose();
        await AwayAsync();
        switch (end)
        {
            case End.CleanStart: return await CleanAsync(First, expiry: 600);
            case End.InMemoryInstead: return await CleanAsync(First, expiry: 0);
            case End.RoomForAnother: return await CleanAsync("another", expiry: 600);
            default:
                await Host.DeleteDeviceAsync(First);
                await Host.NoticeAsync(First);
                return null;
        }
    }

    private Task<RawClient> CleanAsync(string clientId, uint expiry) =>
        RawClient.LoginAsync(Host, First, clientId: clientId, ask: new(Clean: true, Expiry: expiry));

    private Task AwayAsync() => Eventually.TrueAsync(
        async () => await Host.Sessions.FindAsync(Key) is { IsConnected: false }, "the session is closed");

    private long Lost() => new[] { "session-expired", "session-ended", "device-deleted", "connection-ended" }
        .Sum(reason => Host.Meters[$"deliveries.lost/{reason}"]);

    /// <summary>The bodies of so many, each of which is acknowledged.</summary>
    private static async Task<List<string>> ReadAsync(RawClient client, int count)
    {
        var bodies = new List<string>();
        while (bodies.Count < count)
        {
            var message = await client.ReadMessageAsync();
            bodies.Add(message.Body);
            await AcknowledgeAsync(client, message);
        }

        return bodies;
    }

    private static async Task AcknowledgeAsync(RawClient client, Received message)
    {
        if (message.Qos == 1) await client.AnswerAsync(PacketType.PubAck, message.PacketId);
        if (message.Qos < 2) return;
        await client.AnswerAsync(PacketType.PubRec, message.PacketId);
        await client.ExpectAsync(PacketType.PubRel);
        await client.AnswerAsync(PacketType.PubComp, message.PacketId);
    }
}
