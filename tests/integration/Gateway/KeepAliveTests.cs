using Millrace.Mqtt;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Silence is what the client does not say, not what the gateway does not hear (MQTT 5 §3.1.2.10).</summary>
public class KeepAliveTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    /// <summary>The keep-alive is a second; with half of it and the clock's second more, this is beyond it.</summary>
    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(5);

    [Test]
    public async Task Bytes_of_a_packet_that_does_not_end_do_not_renew_it()
    {
        await using var host = await StartAsync();
        using var client = await RawClient.LoginAsync(host, "pump-1", keepAlive: 1);
        await client.SendAsync([0x30, 0xA0, 0x8D, 0x06, 0, 9, .. "telemetry"u8]);
        using var stop = new CancellationTokenSource();
        var dripping = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await client.SendAsync([(byte)' ']);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        });

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.KeepAliveTimeout));
        await stop.CancelAsync();
        await Task.WhenAny(dripping);
    }

    [Test]
    public async Task While_the_log_does_not_answer_the_gateway_the_client_is_not_taken_for_silent()
    {
        await using var host = await StartAsync();
        using var client = await RawClient.LoginAsync(
            host, "pump-1", keepAlive: 1, ask: new SessionAsk(Clean: false, Expiry: 600));
        host.Log.HideRanges();
        await client.PublishTwiceSafeAsync("a", 1);
        await Task.Delay(TooLong, TimeProvider.System);
        host.Log.Open();

        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((1, ReasonCode.Success)));
        await client.SendAsync([0xC0, 0]);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0xD0, 0 }));
    }

    private static async Task<GatewayHost> StartAsync()
    {
        var host = await GatewayHost.StartAsync();
        await host.AddDeviceAsync("pump-1");
        return host;
    }
}
