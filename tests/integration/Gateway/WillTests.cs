using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Wills that wait (MQTT 5 §3.1.3.2.2).</summary>
public class WillTests() : KeptGatewayTests(("Gateway:Sessions:SweepInterval", "00:00:00.2"))
{
    private const string Topic = "devices/pump-1/messages/events/";
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600, WillDelay: 1);

    [Test]
    public async Task A_will_waits_for_its_delay_also_over_a_restart([Values] bool restart)
    {
        await LoseAsync(Kept);
        Assert.That(await Host.TelemetryAsync(), Is.Empty);
        if (restart) await RestartAsync();

        var record = (await Host.TelemetryAsync(1))[0];
        Assert.That((record.DeviceId, record.Body, record.Headers["app.mqtt-will"]),
            Is.EqualTo(("pump-1", "the will", "true")));
        Assert.That(record.Headers["generation-id"], Is.EqualTo("generation-of-pump-1"));
    }

    [Test]
    public async Task A_will_is_dropped_when_the_session_goes_on_before()
    {
        await LoseAsync(Kept with { WillDelay = 2 });
        using var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept with { WillDelay = 0 });
        Assert.That(client.IsPresent);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);

        Assert.That(await Host.TelemetryAsync(), Is.Empty);
    }

    [Test]
    public async Task A_will_is_not_dropped_by_a_client_that_is_not_let_in()
    {
        await LoseAsync(Kept with { WillDelay = 2 });
        using var client = await RawClient.OpenAsync(Host);
        await client.ConnectAsync("pump-1", GatewayHost.Key, ask: Kept with { WillDelay = 0, PacketBytesMax = 10 });
        Assert.That(await client.ReadAsync(), Is.Empty, "no CONNACK is as small as that");

        Assert.That((await Host.TelemetryAsync(1))[0].Body, Is.EqualTo("the will"));
    }

    [TestCase(true, 600u, TestName = "A will is published when a clean start ends its session")]
    [TestCase(false, 1u, TestName = "A will is published when its session expires before its time")]
    public async Task The_end_of_a_session_is_the_end_of_the_delay(bool cleanStart, uint expiry)
    {
        await LoseAsync(Kept with { WillDelay = 500, Expiry = expiry });
        if (cleanStart)
        {
            using var client = await RawClient.LoginAsync(Host, "pump-1", ask: new SessionAsk(Clean: true));
            Assert.That(client.IsPresent, Is.False);
        }

        Assert.That((await Host.TelemetryAsync(1))[0].Body, Is.EqualTo("the will"));
    }

    [Test]
    public async Task A_session_that_ends_with_its_connection_has_no_delay()
    {
        await LoseAsync(Kept with { Expiry = 0, WillDelay = 500 });

        Assert.That(await Host.TelemetryAsync(1), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_good_bye_takes_a_will_back_although_it_would_wait()
    {
        using (var client = await RawClient.LoginAsync(Host, "pump-1", will: Topic, ask: Kept))
            await client.SendAsync([0xE0, 0]);
        await Host.LifecycleAsync(2);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);

        Assert.That(await Host.TelemetryAsync(), Is.Empty);
    }

    private async Task LoseAsync(SessionAsk ask)
    {
        using (await RawClient.LoginAsync(Host, "pump-1", will: Topic, ask: ask))
        {
        }

        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
    }
}
