using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>kill -9 under load, with windows open: nothing is lost, nothing counts twice.</summary>
[Category("Samples")]
public class KillNineTests
{
    private static readonly int Kills = Samples.Of(4);
    private const int Seed = 20_261_124;

    [Test]
    public async Task Kills_lose_no_acknowledged_message_and_double_no_row()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        var fleet = new TrackedFleet(platform, devices: 8, window: 8);
        await fleet.RegisterAsync();
        foreach (var query in TrackedQueries.All) await platform.ApplyAsync(query.Name, query.Text);

        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        var random = new Random(Seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300, 1_800)), TimeProvider.System);
            await platform.KillAsync();
            await platform.StartAsync();
        }

        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        await stop.CancelAsync();
        await load;
        await platform.SettleAsync();
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        var records = await stopped.TelemetryAsync();
        Evidence.EachAcknowledgedMessageIsThere(fleet, records);
        var devices = records.Values.Select(r => r.Device).Distinct();
        Evidence.IsTheLog(records, await stopped.WarmAsync(devices), "the warm store");
        await Evidence.ArchiveIsTheLogAsync(folder.Path, records);
        foreach (var (name, output, _) in TrackedQueries.All)
        {
            var expected = await stopped.UndisturbedAsync(name, output);
            Assert.That(expected, Is.Not.Empty, name);
            Assert.That(await stopped.OutputAsync(output, name), Is.EqualTo(expected), $"{name}, seed {Seed}");
        }

        TestContext.Out.WriteLine(
            $"{fleet.Acknowledged.Count} acknowledged, {records.Count} in the log, {Kills} kills");
    }
}
