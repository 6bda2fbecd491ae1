using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>More is retained than a queue has room for: it comes as the client takes it.</summary>
public class RetainedFlowTests() : KeptGatewayTests(SpaceSettings.With(
    ("Gateway:TopicSpaces:Spaces:1:RetainedMax", "1000"), ("Gateway:Sessions:QueueMessagesMax", "5")))
{
    private const int Topics = 230;
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [SetUp]
    public async Task RetainAsync()
    {
        await Host.AddDeviceAsync("pump-2");
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        await sender.SendAsync(target =>
        {
            for (ushort i = 1; i <= Topics; i++) sender.Publish(target, $"open/{i % 2}/{i}", "x", i, retain: true);
        });
        for (var i = 0; i < Topics; i++)
            Assert.That((await sender.ReadAckAsync()).Reason, Is.EqualTo(ReasonCode.Success));
    }

    [TestCase("open/#", 1, Topics)]
    [TestCase("open/#", 0, Topics)]
    [TestCase("open/0/+", 1, Topics / 2)]
    public async Task All_of_it_comes_and_nothing_is_lost(string filter, int qos, int count)
    {
        foreach (var ask in new[] { null, Kept })
        {
            using var receiver = await SubscribeAsync(ask, filter, qos);
            var topics = new HashSet<string>();
            for (var i = 0; i < count; i++) topics.Add((await TakeAsync(receiver)).Topic);
            Assert.That(topics, Has.Count.EqualTo(count));
            Assert.That(await receiver.StaysSilentAsync());
        }

        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.Zero);
    }

    [Test]
    public async Task Live_messages_come_between()
    {
        using var receiver = await SubscribeAsync(new SessionAsk(Clean: true, ReceiveMaximum: 1), "open/#", 1);
        await TakeAsync(receiver);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        await sender.PublishAsync("open/live", "now", 7);
        Assert.That(await sender.ReadAckAsync(), Is.EqualTo((7, ReasonCode.Success)));

        var isLive = false;
        for (var i = 0; i < 20 && !isLive; i++) isLive = (await TakeAsync(receiver)).Body == "now";
        Assert.That(isLive);
    }

    [Test]
    public async Task It_comes_between_live_messages_that_never_end([Values] bool isKept)
    {
        var ask = new SessionAsk(Clean: true, Expiry: isKept ? 600u : 0, ReceiveMaximum: 1);
        using var receiver = await SubscribeAsync(ask, "open/live", 1);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        for (var i = 0; i < 3; i++) await PublishAsync(sender);
        await receiver.SubscribeAsync("open/0/+", 1);

        // Whenever the client takes one, another waits already.
        var topics = new HashSet<string>();
        await Eventually.TrueAsync(async () =>
        {
            await PublishAsync(sender);
            var packet = await receiver.ReadAsync();
            if (packet[0] == 0x90) packet = await receiver.ReadAsync();
            var message = receiver.MessageOf(packet);
            await receiver.AnswerAsync(PacketType.PubAck, message.PacketId);
            if (message.Body != "now") topics.Add(message.Topic);
            return topics.Count == 20;
        }, () => $"{topics.Count} topics");
    }

    [Test]
    public async Task Unsubscribe_ends_it()
    {
        using var receiver = await SubscribeAsync(new SessionAsk(Clean: true, ReceiveMaximum: 1), "open/#", 1);
        await receiver.SendAsync([0xA2, 11, 0, 5, 0, 0, 6, .. "open/#"u8]);
        var count = 0;
        for (var isOver = false; !isOver;)
        {
            var packet = await receiver.ReadAsync();
            isOver = packet[0] == 0xB0;
            if (isOver) continue;
            count++;
            await receiver.AnswerAsync(PacketType.PubAck, receiver.MessageOf(packet).PacketId);
        }

        for (; !await receiver.StaysSilentAsync(); count++) await TakeAsync(receiver);
        Assert.That(count, Is.LessThan(Topics / 2));
    }

    [Test]
    public async Task What_is_left_comes_on_the_next_connection_of_a_kept_session()
    {
        var topics = new HashSet<string>();
        using (var receiver = await SubscribeAsync(Kept, "open/#", 1))
        {
            for (var i = 0; i < 3; i++) topics.Add((await TakeAsync(receiver)).Topic);
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        using var back = await RawClient.LoginAsync(Host, "pump-2", ask: Kept);
        Assert.That(back.IsPresent);
        while (topics.Count < Topics) topics.Add((await TakeAsync(back)).Topic);
        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.Zero);
    }

    private async Task<RawClient> SubscribeAsync(SessionAsk? ask, string filter, int qos)
    {
        var client = await RawClient.LoginAsync(Host, "pump-2", ask: ask);
        await client.SubscribeAsync(filter, (byte)qos);
        Assert.That((await client.ReadAsync())[0], Is.EqualTo(0x90));
        return client;
    }

    private static async Task PublishAsync(RawClient sender)
    {
        await sender.PublishAsync("open/live", "now", 7);
        Assert.That((await sender.ReadAckAsync()).Reason, Is.EqualTo(ReasonCode.Success));
    }

    private static async Task<Received> TakeAsync(RawClient client)
    {
        var message = await client.ReadMessageAsync();
        if (message.Qos == 1) await client.AnswerAsync(PacketType.PubAck, message.PacketId);
        return message;
    }
}
