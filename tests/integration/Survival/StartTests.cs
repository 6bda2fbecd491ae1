using System.Diagnostics;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>kill -9 of a platform that is starting: the next start comes up, with all that was there.</summary>
[Category("Samples")]
public class StartTests
{
    private static readonly int Kills = Samples.Of(8);
    private static readonly int NewFolders = Samples.Of(3);
    private const int Seed = 20_261_126;

    [Test]
    public async Task Kills_at_start_lose_nothing_and_double_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        await using var load = await FleetLoad.StartAsync(platform);

        // A crash, so that the starts have work to do.
        await platform.KillAsync();
        await load.StopAsync();

        var watch = Stopwatch.StartNew();
        await platform.StartAsync();
        var startMs = (int)watch.ElapsedMilliseconds;
        await platform.KillAsync();
        var random = new Random(Seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            platform.Launch();
            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, startMs)), TimeProvider.System);
            await platform.KillAsync();
        }

        await platform.StartAsync();
        await platform.SettleAsync();
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        var records = await stopped.TelemetryAsync();
        Evidence.EachAcknowledgedMessageIsThere(load.Fleet, records);
        var devices = records.Values.Select(r => r.Device).Distinct();
        Evidence.IsTheLog(records, await stopped.WarmAsync(devices), "the warm store");
        await Evidence.ArchiveIsTheLogAsync(folder.Path, records);
        Assert.That(await stopped.OutputAsync("alerts", "filter"),
            Is.EqualTo(await stopped.UndisturbedAsync("filter", "alerts")).And.Not.Empty, $"seed {Seed}");
        TestContext.Out.WriteLine($"{records.Count} in the log, {Kills} kills within {startMs} ms of the start");
    }

    [Test]
    public async Task A_kill_while_the_data_folder_is_made_leaves_one_that_works()
    {
        var random = new Random(Seed);
        var startMs = 3_000;
        for (var round = 0; round < NewFolders; round++)
        {
            using var folder = new TemporaryFolder();
            await using var platform = new PlatformProcess(folder.Path);
            platform.Launch();
            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(startMs / 4, startMs)), TimeProvider.System);
            await platform.KillAsync();
            var watch = Stopwatch.StartNew();
            await platform.StartAsync();
            startMs = (int)watch.ElapsedMilliseconds;
            var fleet = new TrackedFleet(platform, devices: 2, window: 2);
            await fleet.RegisterAsync();
            using var stop = new CancellationTokenSource();
            var load = fleet.RunAsync(stop.Token);
            await Eventually.TrueAsync(() => fleet.Acknowledged.Count > 10, "it takes messages");
            await stop.CancelAsync();
            await load;
        }
    }
}
