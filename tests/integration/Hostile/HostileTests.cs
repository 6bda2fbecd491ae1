using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Hostile;
using Millrace.Integration.Tests.Gateway;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>Every attack at once, while honest devices publish.</summary>
public class HostileTests
{
    private const int EvilDevices = 40;
    private const int HonestDevices = 10;
    private static readonly TimeSpan AttackTime = TimeSpan.FromSeconds(10);

    [Test]
    public async Task Under_every_attack_at_once_nothing_acknowledged_is_lost_and_memory_comes_back()
    {
        var seed = Seed();
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder, EvilDevices);
        using var fleet = await HonestFleet.ConnectAsync(host, HonestDevices);
        await fleet.PublishAsync(TimeSpan.FromSeconds(1));
        var heapBefore = Heap(host);

        var target = new AttackTarget(host.Port, host.TlsPort, GatewayHost.Key, EvilDevices, new CpuShare(cores: 1));
        using var stop = new CancellationTokenSource();
        var attacks = HostileSet.RunAsync(target, seed, stop.Token);
        await fleet.PublishAsync(AttackTime);
        await stop.CancelAsync();
        var strikes = await attacks;

        foreach (var (name, count) in strikes.OrderBy(each => each.Key))
            TestContext.Out.WriteLine($"{name,-28} {count,8}");
        Assert.That(strikes.Where(each => each.Value == 0 && each.Key != "slow-loris CONNECT"), Is.Empty);
        await Eventually.TrueAsync(
            () => host.Meters["connections"] == HonestDevices, $"the attackers' connections end, seed {seed}",
            TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(() => SslHandle.Open == 0, "nothing of OpenSSL is left", TimeSpan.FromSeconds(10));
        await fleet.PublishAsync(TimeSpan.FromSeconds(1));
        await fleet.AssertNothingIsLostAsync(host, $"seed {seed}");
        Assert.That(host.Meters["disconnects/server-error"], Is.Zero, $"seed {seed}");
        Assert.That(Heap(host) - heapBefore, Is.LessThan(64 << 20), $"seed {seed}");
    }

    [Test]
    public async Task A_client_may_not_renegotiate_tls()
    {
        var shell = Tool.Find("sh")!;
        if (Tool.Find("openssl") is null) Assert.Ignore("openssl is not installed (Debian: openssl).");
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder, 1, ("Gateway:ConnectTimeout", "00:01:00"));
        var (_, output) = await shell.RunAsync("-c",
            $"(sleep 1; echo R; sleep 2) | openssl s_client -connect 127.0.0.1:{host.TlsPort} -tls1_2 2>&1");

        // The connection is closed; without that, openssl would end by itself and have nothing to complain of.
        var after = output[output.IndexOf("RENEGOTIATING", StringComparison.Ordinal)..];
        Assert.That(after, Does.Contain("no renegotiation").Or.Contain("unexpected eof"));
        using var honest = await RawClient.LoginAsync(host, AttackTarget.Device(0));
    }

    public static int Seed()
    {
        var given = Environment.GetEnvironmentVariable("MILLRACE_SEED");
        var seed = given is null ? Environment.TickCount : int.Parse(given);
        TestContext.Out.WriteLine($"seed {seed} (MILLRACE_SEED repeats it)");
        return seed;
    }

    /// <summary>What lives, without the blocks that the server's pool keeps a while for its next connections.</summary>
    internal static long Heap(GatewayHost host) => GC.GetTotalMemory(forceFullCollection: true)
        - host.Meters.All.Where(each => each.Key == "aspnetcore.memory_pool.pooled/kestrel").Sum(each => each.Value);

    internal static async Task<GatewayHost> StartAsync(
        TemporaryFolder folder, int evilDevices, params (string Key, string Value)[] settings)
    {
        (string Key, string Value)[] impatience =
        [
            ("Gateway:ConnectTimeout", "00:00:03"), ("Gateway:Mqtts:HandshakeTimeout", "00:00:03"),
            ("Gateway:Limits:UnreadTimeout", "00:00:03"), ("Gateway:Limits:Device:MessagesPerSecond", "500"),
            ("Gateway:Limits:SlowedMax", "00:00:03"),
        ];
        GatewayHost.EventLoops = new PlainListenerOptions().EventLoops;
        var host = await GatewayHost.StartAsync(
            new Certificates(folder.Path), [.. settings.Concat(impatience).DistinctBy(setting => setting.Key)]);
        for (var i = 0; i < evilDevices; i++) await host.AddDeviceAsync(AttackTarget.Device(i));
        return host;
    }
}
