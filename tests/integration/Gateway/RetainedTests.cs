using Millrace.Mqtt;
using Millrace.Mqtt.Properties;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Retained messages of topic spaces.</summary>
public class RetainedTests() : KeptGatewayTests(SpaceSettings.With())
{
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [SetUp]
    public Task AddAsync() => Host.AddDeviceAsync("pump-2");

    [Test]
    public async Task The_last_message_of_a_topic_comes_with_a_subscription_over_a_restart([Values] bool isKept)
    {
        using (var sender = await RawClient.LoginAsync(Host, "pump-1"))
        {
            await RetainAsync(sender, "open/a/b", "old");
            await RetainAsync(sender, "open/a/b", "new");
            await RetainAsync(sender, "open/a", "parent");
            await RetainAsync(sender, "open/other", "gone");
            await RetainAsync(sender, "open/other", "");
        }

        await RestartAsync();
        using var receiver = await RawClient.LoginAsync(Host, "pump-2", ask: isKept ? Kept : null);
        await SubscribeAsync(receiver, "open/a/#", 1);
        var first = await receiver.ReadMessageAsync();
        var second = await receiver.ReadMessageAsync();

        Assert.That((first.Topic, first.Body, first.Qos, first.IsRetained),
            Is.EqualTo(("open/a", "parent", 1, true)));
        Assert.That((second.Topic, second.Body, second.Qos, second.IsRetained),
            Is.EqualTo(("open/a/b", "new", 1, true)));
        Assert.That(await receiver.StaysSilentAsync());
    }

    [Test]
    public async Task Retain_handling_says_when_it_comes_and_shared_subscriptions_never_get_it()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        await RetainAsync(client, "open/a", "x");
        await SubscribeAsync(client, "$share/g/open/a", 0);
        await SubscribeAsync(client, "open/a", 0, retainHandling: 2);
        Assert.That(await client.StaysSilentAsync());
        await SubscribeAsync(client, "open/a", 0, retainHandling: 1);
        Assert.That(await client.StaysSilentAsync());
        await SubscribeAsync(client, "open/a", 0);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("x"));
        await SubscribeAsync(client, "open/+", 0, retainHandling: 1);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("x"));
    }

    [Test]
    public async Task Retain_goes_on_to_those_who_want_it_as_published()
    {
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        using var plain = await RawClient.LoginAsync(Host, "pump-2", clientId: "plain");
        using var asPublished = await RawClient.LoginAsync(Host, "pump-2", clientId: "as-published");
        await SubscribeAsync(plain, "open/a", 0);
        await SubscribeAsync(asPublished, "open/a", 0, options: 8);
        await RetainAsync(sender, "open/a", "x");

        Assert.That((await plain.ReadMessageAsync()).IsRetained, Is.False);
        Assert.That((await asPublished.ReadMessageAsync()).IsRetained, Is.True);
    }

    [Test]
    public async Task A_space_that_is_full_refuses_and_keeps_what_it_has()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        for (var i = 0; i < 3; i++) await RetainAsync(client, $"open/{i}", "x");
        await client.SendAsync(target => client.Publish(target, "open/3", "x", 9, retain: true));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((9, ReasonCode.QuotaExceeded)));
        await RetainAsync(client, "open/2", "y");
        Assert.That(Host.Meters["retained/full"], Is.EqualTo(1));
        Assert.That(Host.Meters["publishes.rejected/retained-full"], Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_left_of_its_expiry_goes_with_a_retained_message()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        var properties = new PropertyWriter(new byte[8]);
        properties.Number(PropertyId.MessageExpiryInterval, 100);
        var bytes = properties.Written.ToArray();
        await client.SendAsync(target => client.Publish(target, "open/a", "x", 9, bytes, retain: true));
        await client.ReadAckAsync();
        await SubscribeAsync(client, "open/#", 0);

        var message = await client.ReadMessageAsync();
        Assert.That(message.Number(PropertyId.MessageExpiryInterval), Is.InRange(50, 100));
    }

    private static async Task RetainAsync(RawClient client, string topic, string body)
    {
        await client.SendAsync(target => client.Publish(target, topic, body, 9, retain: true));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((9, ReasonCode.Success)));
    }

    private static async Task SubscribeAsync(
        RawClient client, string filter, int qos, int retainHandling = 0, int options = 0)
    {
        await client.SubscribeAsync(filter, (byte)(qos | options | (retainHandling << 4)));
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, (byte)qos }));
    }
}
