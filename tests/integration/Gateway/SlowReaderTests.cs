using System.Diagnostics;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>On event loops alone: Kestrel does not tell what has left.</summary>
[TestFixture(false)]
[TestFixture(true)]
[Platform("Linux")]
public class SlowReaderTests(bool tls)
{
    [SetUp]
    public void UseEventLoops() => (GatewayHost.EventLoops, GatewayHost.IsRawTls) = (1, tls);

    [TearDown]
    public void LeaveTls() => GatewayHost.IsRawTls = false;

    [Test]
    public async Task A_client_that_reads_slowly_is_not_cut_off()
    {
        await using var host = await GatewayHost.StartAsync(
            ("Gateway:Limits:Device:MessagesPerSecond", "0"), ("Gateway:Limits:UnreadTimeout", "00:00:05"),
            ("Gateway:Sessions:QueueBytesMax", "64MiB"));
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.OpenAsync(host, receiveBytes: 4_096);
        await client.ConnectAsync("pump-1", GatewayHost.Key);
        await client.ReadAsync();
        await client.SubscribeAsync("devices/pump-1/#", 0);
        await client.ReadAsync();
        for (var i = 0; i < 50; i++) await host.SendAsync("pump-1", new string('x', 200_000), qos: 0);
        await Eventually.TrueAsync(() => host.Meters["deliveries/queued"] == 50, "all are queued");
        Assert.That(host.Meters["deliveries/sent"], Is.LessThan(50), "a flush is held up");

        var buffer = new byte[8_192];
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(20))
        {
            Assert.That(await client.Stream.ReadAsync(buffer), Is.Positive, "closed");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        Assert.That(host.Meters["disconnects/unread"], Is.Zero);
    }
}
