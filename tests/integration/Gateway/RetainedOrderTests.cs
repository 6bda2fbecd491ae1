using Microsoft.Extensions.DependencyInjection;
using Millrace.Mqtt;
using Millrace.Stores.Retained;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What is retained and what is published at the same time come in their order (MQTT 5 §4.6).</summary>
public class RetainedOrderTests
{
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    private GatewayHost _host = null!;
    private GatedRetained _retained = null!;
    private RawClient _sender = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await GatewayHost.StartChangedAsync(services =>
        {
            var store = services.Last(each => each.ServiceType == typeof(IRetainedStore)).ImplementationFactory!;
            services.AddSingleton<IRetainedStore>(
                provider => _retained = new GatedRetained((IRetainedStore)store(provider)));
        }, SpaceSettings.With(
            ("Gateway:TopicSpaces:Spaces:1:RetainedBytesMax", "100"), ("Gateway:Sessions:QueueMessagesMax", "5")));
        await _host.AddDeviceAsync("pump-1");
        await _host.AddDeviceAsync("pump-2");
        _sender = await RawClient.LoginAsync(_host, "pump-1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        _retained.Open();
        _sender.Dispose();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Nothing_retained_comes_behind_what_was_published_after_it(
        [Values] bool isKept, [Values] bool isNewRetained)
    {
        await PublishAsync("old", isRetained: true);
        await AcksAsync(1);
        _retained.HoldPages();
        using var receiver = await SubscribeAsync(isKept);
        await Eventually.TrueAsync(() => _retained.PagesRead == 1, "the old one is read");
        await PublishAsync("new", isNewRetained);
        await AcksAsync(1);
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("new"));
        _retained.Open();

        Assert.That(await receiver.StaysSilentAsync());
    }

    [Test]
    public async Task Nothing_comes_behind_a_retained_message_that_was_published_before_it([Values] bool isKept)
    {
        _retained.HoldKept();
        await _sender.SendAsync(target =>
        {
            _sender.Publish(target, "open/a", "1", 7, retain: true);
            _sender.Publish(target, "open/a", "2", 8, retain: true);
        });
        await Eventually.TrueAsync(() => _retained.SetsDone == 1, "both are kept");
        using var receiver = await SubscribeAsync(isKept);
        await Eventually.TrueAsync(() => _retained.PagesRead == 1, "and read");
        _retained.Open();
        await AcksAsync(2);

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("1"));
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("2"));
        Assert.That(await receiver.StaysSilentAsync());
    }

    [Test]
    public async Task A_publish_that_was_refused_hides_nothing([Values] bool isKept)
    {
        await PublishAsync("old", isRetained: true);
        await AcksAsync(1);
        _retained.HoldKept();
        await PublishAsync(new string('x', 200), isRetained: true);
        await Eventually.TrueAsync(() => _retained.SetsDone == 2, "refused");
        using var receiver = await SubscribeAsync(isKept);
        await Eventually.TrueAsync(() => _retained.PagesRead == 1, "the old one is read");
        _retained.Open();

        Assert.That((await _sender.ReadAckAsync()).Reason, Is.EqualTo(ReasonCode.QuotaExceeded));
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("old"));
    }

    [Test]
    public async Task However_many_topics_are_heard_of_meanwhile_what_is_retained_comes()
    {
        await PublishAsync("old", isRetained: true);
        await AcksAsync(1);
        _retained.HoldPages();
        using var receiver = await SubscribeAsync(isKept: false);
        await Eventually.TrueAsync(() => _retained.PagesRead == 1, "the old one is read");
        await _sender.SendAsync(target =>
        {
            for (var i = 0; i < 10_100; i++) _sender.Publish(target, $"open/{i}", "live");
            _sender.Publish(target, "open/last", "live", packetId: 9);
        });
        await AcksAsync(1);
        _retained.Open();

        while ((await receiver.ReadMessageAsync()).Body != "old") continue;
        Assert.That(await receiver.StaysSilentAsync());
    }

    private Task PublishAsync(string body, bool isRetained) =>
        _sender.SendAsync(target => _sender.Publish(target, "open/a", body, 9, retain: isRetained));

    private async Task AcksAsync(int count)
    {
        for (var i = 0; i < count; i++)
            Assert.That((await _sender.ReadAckAsync()).Reason, Is.EqualTo(ReasonCode.Success));
    }

    private async Task<RawClient> SubscribeAsync(bool isKept)
    {
        var client = await RawClient.LoginAsync(_host, "pump-2", ask: isKept ? Kept : null);
        await client.SubscribeAsync("open/#", 1);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, 1 }));
        return client;
    }
}
