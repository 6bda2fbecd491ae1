using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What a session leaves of a shared subscription when it ends (MQTT 5 §4.8.2).</summary>
public class SharedSessionEndTests : SpaceGatewayTests
{
    private const string First = "pump-1";
    private const string Other = "pump-2";

    private static readonly SessionAsk OneAtOnce = new(Clean: true, ReceiveMaximum: 1);

    public enum End
    {
        Loss,
        Disconnect,
        TakeOver,
    }

    [Test]
    public async Task What_waits_and_what_was_not_acknowledged_goes_to_another_member_in_order([Values] End end)
    {
        using var first = await SubscribeAsync(First, qos: 1);
        await PublishAsync(0, 6, qos: 1);
        var done = await first.ReadMessageAsync();
        await first.AnswerAsync(PacketType.PubAck, done.PacketId);
        Assert.That((await first.ReadMessageAsync()).Body, Is.EqualTo("1"));
        using var other = await SubscribeAsync(Other, qos: 1);
        using var next = await EndAsync(first, end);

        Assert.That(await ReadAsync(other, 5), Is.EqualTo(["1", "2", "3", "4", "5"]));
        Assert.That(await other.StaysSilentAsync(), "what was acknowledged is done with");
        Assert.That(Host.Meters["deliveries/passed-on"], Is.EqualTo(5));
        Assert.That(Host.Meters["deliveries.lost/connection-ended"], Is.Zero);
    }

    [Test]
    public async Task What_is_in_flight_with_qos_2_goes_to_nobody_else([Values] bool isReceived)
    {
        using var first = await SubscribeAsync(First, qos: 2);
        await PublishAsync(0, 3, qos: 2);
        var inFlight = await first.ReadMessageAsync();
        if (isReceived)
        {
            await first.AnswerAsync(PacketType.PubRec, inFlight.PacketId);
            await first.ExpectAsync(PacketType.PubRel);
        }

        using var other = await SubscribeAsync(Other, qos: 2);
        first.Dispose();

        Assert.That(await ReadAsync(other, 2), Is.EqualTo(["1", "2"]));
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/connection-ended"] == 1, "counted");
        Assert.That(await other.StaysSilentAsync());
    }

    [Test]
    public async Task What_the_client_refuses_goes_to_nobody_else()
    {
        using var first = await SubscribeAsync(First, qos: 1);
        using var other = await SubscribeAsync(Other, qos: 1);
        await PublishAsync(0, 1, qos: 1);
        await first.AnswerAsync(
            PacketType.PubAck, (await first.ReadMessageAsync()).PacketId, ReasonCode.UnspecifiedError);
        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/refused-by-client"] == 1, "refused");
        first.Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 1, "ended");

        Assert.That(await other.StaysSilentAsync());
    }

    [Test]
    public async Task What_has_no_other_member_is_counted()
    {
        using var first = await SubscribeAsync(First, qos: 1);
        await SubscribeAsync(first, "open/b", 1);
        await PublishAsync(0, 3, qos: 1);
        using (var sender = await RawClient.LoginAsync(Host, "boss")) await PublishAsync(sender, "open/b", "b", 1);
        using var other = await RawClient.LoginAsync(Host, Other);
        await SubscribeAsync(other, "open/b", 1);
        first.Dispose();

        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/connection-ended"] == 4, "counted");
        Assert.That(Host.Meters["deliveries/passed-on"], Is.Zero);
        Assert.That(await other.StaysSilentAsync(), "what is for one alone is for nobody else");
    }

    [Test]
    public async Task A_kept_session_takes_it_while_its_device_is_away_also_when_the_gateway_stops()
    {
        using (await SubscribeAsync(Other, qos: 1, Kept))
        {
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        using var first = await SubscribeAsync(First, qos: 1);
        using var third = await RawClient.LoginAsync(Host, First, clientId: "another", ask: OneAtOnce);
        await SubscribeAsync(third, "$share/g/open/a", 1);
        await PublishAsync(0, 4, qos: 1);
        await RestartAsync();

        using var back = await RawClient.LoginAsync(Host, Other, ask: Kept);
        Assert.That((await ReadAsync(back, 4)).Order(), Is.EqualTo(["0", "1", "2", "3"]));
    }

    [Test]
    public async Task Qos_0_that_waits_goes_on_also_from_a_session_that_is_kept()
    {
        using var first = await SubscribeAsync(First, qos: 0, Kept);
        using (var sender = await RawClient.LoginAsync(Host, "boss"))
        {
            var large = new string('x', 200_000);
            await Eventually.TrueAsync(async () =>
            {
                await PublishAsync(sender, "open/a", large, qos: 0);
                return Host.Meters["deliveries.lost/queue-full"] > 0;
            }, "as many wait as may");
        }

        using var other = await SubscribeAsync(Other, qos: 0);
        first.Dispose();

        Assert.That(await ReadAsync(other, 5), Has.All.Length.EqualTo(200_000));
        Assert.That(Host.Meters["deliveries/passed-on"], Is.EqualTo(5));
        Assert.That(Host.Meters["deliveries.lost/connection-ended"], Is.Zero);
    }

    private async Task<RawClient> SubscribeAsync(string device, int qos, SessionAsk? ask = null)
    {
        var client = await RawClient.LoginAsync(Host, device, ask: ask ?? OneAtOnce);
        await SubscribeAsync(client, "$share/g/open/a", qos);
        return client;
    }

    private async Task PublishAsync(int first, int count, int qos)
    {
        using var sender = await RawClient.LoginAsync(Host, "boss");
        for (var i = first; i < first + count; i++) await PublishAsync(sender, "open/a", $"{i}", qos);
    }

    /// <returns>The connection that has taken the place of the first, if one has.</returns>
    private async Task<RawClient?> EndAsync(RawClient first, End end)
    {
        if (end == End.TakeOver) return await RawClient.LoginAsync(Host, First);
        if (end == End.Disconnect) await first.SendAsync([0xE0, 0]);
        else first.Dispose();
        return null;
    }

    /// <summary>The bodies of so many, each of which is acknowledged.</summary>
    private static async Task<List<string>> ReadAsync(RawClient client, int count)
    {
        var bodies = new List<string>();
        while (bodies.Count < count)
        {
            var message = await client.ReadMessageAsync();
            bodies.Add(message.Body);
            if (message.Qos == 1) await client.AnswerAsync(PacketType.PubAck, message.PacketId);
            if (message.Qos < 2) continue;
            await client.AnswerAsync(PacketType.PubRec, message.PacketId);
            await client.ExpectAsync(PacketType.PubRel);
            await client.AnswerAsync(PacketType.PubComp, message.PacketId);
        }

        return bodies;
    }
}
