using System.Globalization;
using Millrace.Hostile;
using Millrace.Integration.Tests.Gateway;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>
/// What attackers do to honest devices when they cannot simply take the processor: calm and attacked in turns, against
/// a gateway in this process and attackers in another.
/// </summary>
[Category("Torture")]
public class HostileTorture
{
    private const int Rounds = 9;
    private const int EvilDevices = 1_000;
    private const int HonestDevices = 20;
    private const double AttackCores = 0.25;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(15);

    /// <summary>10,000 connects at once, 2,500 slow ones, 1,000 half-open, 250 that read nothing.</summary>
    private const int Scale = 50;

    /// <summary>Attacks that do not end before they are stopped.</summary>
    private static readonly string[] HeldOpen = ["half-open", "large unfinished CONNECT", "slow-loris CONNECT"];

    private readonly List<double> _cores = [];
    private readonly List<(double Calm50, double Calm99, double Attacked50, double Attacked99)> _rounds = [];
    private long _rssMax;
    private long _connectionsMax;

    [Test]
    public async Task Honest_acks_take_at_most_twice_as_long_and_nothing_is_lost()
    {
        var seed = HostileTests.Seed();
        using var folder = new TemporaryFolder();
        await using var host = await HostileTests.StartAsync(
            folder, EvilDevices, ("Gateway:Limits:Hub:ConnectsPerSecond", "1000"),
            ("Gateway:Limits:ConnectWaitMax", "00:00:01"));
        using var fleet = await HonestFleet.ConnectAsync(host, HonestDevices);
        var target = new AttackTarget(
            host.Port, host.TlsPort, GatewayHost.Key, EvilDevices, new CpuShare(AttackCores), Scale);
        await fleet.PublishAsync(TimeSpan.FromSeconds(3));
        var rssBefore = Environment.WorkingSet;
        using var attackers = new HostileProcess(target, AttackCores, seed);
        await attackers.AttackAsync(TimeSpan.FromSeconds(5));
        await RunAsync(host, fleet, attackers);
        var heapAfterOne = HostileTests.Heap(host);
        for (var round = 1; round < Rounds; round++) await RunAsync(host, fleet, attackers);

        var report = Tell(seed, rssBefore, host);
        await fleet.AssertNothingIsLostAsync(host, $"seed {seed}");
        Assert.That(host.Meters["disconnects/server-error"], Is.Zero);
        var grown = HostileTests.Heap(host) - heapAfterOne;
        Assert.That(grown, Is.LessThan(64 << 20), "the heap after all rounds, against the first");
        Assert.That(_rssMax - rssBefore, Is.LessThan(1L << 30));
        Assert.That(Median(r => r.Attacked99), Is.LessThanOrEqualTo(2 * Median(r => r.Calm99)), $"seed {seed}");

        // Kept when it is as it should be: only now.
        report.Dispose();
    }

    private async Task RunAsync(GatewayHost host, HonestFleet fleet, HostileProcess attackers)
    {
        await QuietAsync(host);
        var calm = await fleet.PublishAsync(RoundTime);
        using var watching = new CancellationTokenSource();
        var watch = WatchAsync(host, watching.Token);
        var attack = attackers.AttackAsync(RoundTime);
        var attacked = await fleet.PublishAsync(RoundTime);
        AssertTheyAttacked(await attack);
        await watching.CancelAsync();
        await watch;
        await QuietAsync(host);
        _rounds.Add((calm.Percentile(50), calm.Percentile(99), attacked.Percentile(50), attacked.Percentile(99)));
    }

    /// <summary>Where attackers find no core that is free, nothing is shown.</summary>
    private void AssertTheyAttacked(string told)
    {
        TestContext.Out.WriteLine(told);
        var figures = told.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(
            line => line[..line.LastIndexOf(' ')].TrimEnd(),
            line => double.Parse(line[line.LastIndexOf(' ')..], CultureInfo.InvariantCulture));
        Assert.That(figures.Remove(CpuShare.UsedName, out var cores));
        Assert.That(cores, Is.GreaterThan(AttackCores / 2), "cores that the attackers had");
        Assert.That(figures.Where(each => each.Value == 0).Select(each => each.Key), Is.SubsetOf(HeldOpen));
        _cores.Add(cores);
    }

    private static async Task QuietAsync(GatewayHost host) => await Eventually.TrueAsync(
            () => host.Meters["connections"] == HonestDevices, "the attackers' connections end",
            TimeSpan.FromSeconds(60));

    private async Task WatchAsync(GatewayHost host, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            _rssMax = Math.Max(_rssMax, Environment.WorkingSet);
            _connectionsMax = Math.Max(_connectionsMax, host.Meters["connections"]);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }

    private double Median(Func<(double Calm50, double Calm99, double Attacked50, double Attacked99), double> of) =>
        _rounds.Select(of).Order().ElementAt(_rounds.Count / 2);

    private Report Tell(int seed, long rssBefore, GatewayHost host)
    {
        var report = new Report("torture", "Hostile clients");
        report.Line($"{HonestDevices} honest devices publish at QoS 1, one message at a time, while attackers in "
            + $"another process, held to {AttackCores} cores and scheduled when a core is free, do all that they can; "
            + $"calm and attacked in turns of {RoundTime.TotalSeconds:n0} s. Milliseconds until the acknowledgement. "
            + $"Seed {seed}.");
        report.Line();
        report.Line("| | calm p50 | calm p99 | attacked p50 | attacked p99 | p99, attacked / calm |");
        report.Line("|---|---:|---:|---:|---:|---:|");
        foreach (var (i, r) in _rounds.Index())
            report.Line(Row($"round {i + 1}", r.Calm50, r.Calm99, r.Attacked50, r.Attacked99));
        report.Line(Row("median (at most 2)", Median(r => r.Calm50), Median(r => r.Calm99),
            Median(r => r.Attacked50), Median(r => r.Attacked99)));
        report.Line();
        report.Line($"The attackers had {_cores.Min().ToString("0.00", CultureInfo.InvariantCulture)} cores or more.");
        report.Line($"Resident {rssBefore >> 20} MiB before, at most {_rssMax >> 20} MiB under attack; at most "
            + $"{_connectionsMax:n0} connections at once.");
        report.Line();
        report.Line("| what the gateway counted | |");
        report.Line("|---|---:|");
        foreach (var (name, sum) in host.Meters.All.Where(IsOfTheGateway))
            report.Line($"| {name} | {sum:n0} |");
        return report;
    }

    private static bool IsOfTheGateway(KeyValuePair<string, long> counted) =>
        counted.Key.StartsWith("millrace.gateway.", StringComparison.Ordinal) && counted.Key.Contains('/');

    private static string Row(string name, double calm50, double calm99, double attacked50, double attacked99) =>
        $"| {name} | {calm50:n2} | {calm99:n2} | {attacked50:n2} | {attacked99:n2} | {attacked99 / calm99:n2} |";
}
