using Millrace.Mqtt;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What topic spaces keep: for devices that are away, over restarts, and in the event log.</summary>
public class SpaceDurabilityTests : SpaceGatewayTests
{
    [Test]
    public async Task Messages_wait_for_a_device_that_is_away_over_a_restart()
    {
        var away = await RawClient.LoginAsync(Host, "pump-2", ask: Kept);
        await SubscribeAsync(away, "open/#", 2);
        away.Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        await RestartAsync();
        using (var sender = await RawClient.LoginAsync(Host, "pump-1"))
        {
            for (var i = 0; i < 6; i++) await PublishAsync(sender, "open/a", $"{i}", i % 2 + 1);
            await PublishAsync(sender, "open/a", "not kept", 0);
        }

        await Eventually.TrueAsync(() => Host.Meters["deliveries.lost/qos-0-not-connected"] == 1, "counted");
        Assert.That(Host.Meters["deliveries.lost/queue-full"], Is.EqualTo(1));
        await RestartAsync();
        using var back = await RawClient.LoginAsync(Host, "pump-2", ask: Kept);
        Assert.That(back.IsPresent);
        for (var i = 0; i < 5; i++)
        {
            var message = await back.ReadMessageAsync();
            Assert.That((message.Body, message.Qos), Is.EqualTo(($"{i}", i % 2 + 1)));
        }
    }

    [Test]
    public async Task What_waited_in_a_session_that_begins_anew_is_counted([Values] bool isKept)
    {
        var away = await RawClient.LoginAsync(Host, "pump-2", ask: Kept);
        await SubscribeAsync(away, "open/#", 1);
        away.Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        for (var i = 0; i < 4; i++) await PublishAsync(sender, "open/a", $"{i}", 1);

        using var anew = await RawClient.LoginAsync(
            Host, "pump-2", ask: new SessionAsk(Clean: true, Expiry: isKept ? 600u : 0));
        Assert.That(anew.IsPresent, Is.False);
        Assert.That(Host.Meters["deliveries.lost/session-ended"], Is.EqualTo(4));
    }

    [Test]
    public async Task A_qos_2_publish_that_comes_again_is_delivered_once()
    {
        using var receiver = await RawClient.LoginAsync(Host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 0);
        var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await PublishAsync(first, "open/a", "once", 2, release: false);
        first.Dispose();
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 1, "away");
        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await PublishAsync(second, "open/a", "once", 2);
        await PublishAsync(second, "open/a", "next", 0);

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("once"));
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("next"));
        Assert.That(Host.Meters["exchanges.repeated"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_will_goes_to_the_space()
    {
        using var receiver = await RawClient.LoginAsync(Host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 1);
        using (await RawClient.LoginAsync(Host, "pump-1", will: "open/wills"))
        {
        }

        var message = await receiver.ReadMessageAsync();
        Assert.That((message.Topic, message.Body), Is.EqualTo(("open/wills", "the will")));
        using var denied = await RawClient.OpenAsync(Host);
        await denied.ConnectAsync("pump-1", GatewayHost.Key, will: "fleet/pump-2/x");
        Assert.That((await denied.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.NotAuthorized));
    }

    [TestCase("telemetry")]
    [TestCase("space.open")]
    public async Task Messages_of_a_space_also_go_to_the_event_log(string topic)
    {
        await RestartAsync(SpaceSettings.ToLog(topic));
        using var receiver = await RawClient.LoginAsync(Host, "pump-2");
        await SubscribeAsync(receiver, "open/#", 0);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        for (var i = 0; i < 3; i++) await PublishAsync(sender, "open/a", $"{i}", 1);

        var records = await Host.RecordsAsync(topic);
        Assert.That(records.Select(r => (r.DeviceId, r.Body, r.Headers["mqtt-topic"])),
            Is.EqualTo(new[] { 0, 1, 2 }.Select(i => ("pump-1", $"{i}", "open/a"))));
        for (var i = 0; i < 3; i++) Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task Nothing_is_acknowledged_that_the_log_does_not_have()
    {
        await RestartAsync(SpaceSettings.ToLog("telemetry"));
        Host.Log.Fill(true);
        using var sender = await RawClient.LoginAsync(Host, "pump-1");
        await sender.PublishAsync("open/a", "x", 1);
        Assert.That(await sender.ReadEndAsync(), Is.EqualTo(ReasonCode.QuotaExceeded));
    }

    [Test]
    public async Task A_session_that_a_crash_left_open_can_expire()
    {
        await Host.Sessions.OpenAsync(new SessionKey("pump-1", "lost"), false, 1, DateTimeOffset.UtcNow);
        await RestartAsync();
        await Eventually.TrueAsync(() => Host.Meters["sessions.ended/expired"] == 1, "expired");
    }
}
