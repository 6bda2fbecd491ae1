using System.Diagnostics;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>SIGTERM under load: what was accepted is kept, and the process is gone in seconds.</summary>
public class TerminateTests
{
    /// <summary>Seconds on a machine that has other work too.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Test]
    public async Task A_stop_under_load_loses_no_accepted_message_and_leaves_a_whole_archive()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        await using var load = await FleetLoad.StartAsync(platform);

        var watch = Stopwatch.StartNew();
        Assert.That(await platform.TerminateAsync(Limit), Is.Zero, platform.Printed);
        TestContext.Out.WriteLine($"stopped in {watch.Elapsed.TotalSeconds:n1} s under load");
        await load.StopAsync();
        await using (var stopped = new StoppedPlatform(folder.Path))
        {
            var records = await stopped.TelemetryAsync();
            Evidence.EachAcknowledgedMessageIsThere(load.Fleet, records);
            await Evidence.ArchiveIsTheLogAsync(folder.Path, records);
        }

        await platform.StartAsync();
        await platform.SettleAsync();
        Assert.That(await platform.TerminateAsync(Limit), Is.Zero, platform.Printed);
        await using var settled = new StoppedPlatform(folder.Path);
        var all = await settled.TelemetryAsync();
        Evidence.IsTheLog(all, await settled.WarmAsync(all.Values.Select(r => r.Device).Distinct()), "the warm store");
        Assert.That(await settled.OutputAsync("alerts", "filter"),
            Is.EqualTo(await settled.UndisturbedAsync("filter", "alerts")).And.Not.Empty);
    }

    [TestCase("--simulate", "0")]
    [TestCase("--simulate", "50")]
    public async Task A_stop_as_soon_as_it_runs_ends_in_order(params string[] options)
    {
        using var folder = new TemporaryFolder();
        for (var start = 0; start < 4; start++)
        {
            await using var platform = new PlatformProcess(folder.Path);
            platform.Launch(options);
            await Eventually.TrueAsync(() => platform.HasPrinted("mosquitto_pub"), "it says that it runs", Limit);
            Assert.That(await platform.TerminateAsync(Limit), Is.Zero, () => platform.Printed);
        }
    }
}
