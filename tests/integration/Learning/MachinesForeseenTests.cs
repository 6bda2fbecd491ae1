using Millrace.Models.Registry;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Learning;

/// <summary>
/// A model is trained on what some machines sent, promoted, and asked by a query about machines that it has never seen:
/// it tells that they are about to stop before they do.
/// </summary>
public class MachinesForeseenTests
{
    private static readonly TimeSpan Time = TimeSpan.FromMinutes(5);

    /// <summary>A warning came true when its machine stopped within this time.</summary>
    private static readonly TimeSpan TrueWithin = TimeSpan.FromSeconds(24);

    private static readonly DateTimeOffset Trained = new(2026, 11, 20, 8, 10, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Watched = new(2026, 11, 21, 10, 10, 0, TimeSpan.Zero);

    [Test]
    public async Task Machines_are_foreseen_to_stop_before_they_do()
    {
        await using var hub = new MachineHub();
        await hub.StartAsync();
        var learnedFrom = await hub.RunAsync("old", 40, Trained, Time);
        var rows = await ArchivedAsync(hub, 40 * 30 * Time.TotalSeconds);
        await hub.RunJobAsync("machine-features", Trained, Time);
        await hub.RunJobAsync("wear-training", Trained, Time);
        await hub.RunJobAsync("anomaly-training", Trained, Time);
        var registry = hub.Get<ModelRegistry>();
        var model = await registry.GetAsync("wear", 1, default);
        await registry.PromoteAsync("wear", 1, "test", default);

        var stops = await hub.RunAsync("new", 40, Watched, Time);
        await ArchivedAsync(hub, rows * 2);
        await hub.Get<IQueryStore>().SaveAsync(new QueryConfig
        {
            Name = "wear",
            Version = 1,
            Text = await File.ReadAllTextAsync(Examples.PathOf("wear.saql")),
            Options = new QueryOptions { StartFrom = Watched.AddMinutes(-1).ToString("O") },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, 0);
        var alerts = await AllAlertsAsync(hub);
        var outcome = Outcome.Of(stops, alerts, Watched, Watched + Time, TrueWithin);
        await TestContext.Out.WriteLineAsync($"learned from {learnedFrom.Count} stops, {rows} messages: " +
            string.Join(", ", model.Metrics.Select(metric => $"{metric.Key} {metric.Value:F2}")));
        await TestContext.Out.WriteLineAsync(outcome.ToString());

        Assert.That(stops, Has.Count.GreaterThan(100));
        Assert.That(outcome.Precision, Is.GreaterThan(0.85), "of those warned about, so many stopped");
        Assert.That(outcome.Precision - outcome.Chance, Is.GreaterThan(0.3), "and that is no chance");
        Assert.That(outcome.Recall, Is.GreaterThan(0.85), "of those that stopped, so many were warned about");
        Assert.That(outcome.MedianLead, Is.GreaterThan(TimeSpan.FromSeconds(5)), "2.5 minutes of the machine's time");

        await ScoredAndComparedAsync(hub);
    }

    /// <summary>The archive scored by the job is what the stream scored; new machines are like the old.</summary>
    private static async Task ScoredAndComparedAsync(MachineHub hub)
    {
        await hub.RunJobAsync("machine-features", Watched, Time);
        await hub.RunJobAsync("wear-scores", Watched, Time);
        await hub.RunJobAsync("wear-drift", Watched, Time);
        var soon = await hub.NumberAsync("SELECT count(*) FROM job_wear_scores WHERE score < 12");
        var drift = await hub.NumberAsync("SELECT max(stability_index) FROM job_wear_drift");
        await TestContext.Out.WriteLineAsync($"archive: {soon} steps below 12 s; drift at most {drift:F3}");

        Assert.That(await hub.NumberAsync("SELECT count(*) FROM job_wear_drift"), Is.EqualTo(4), "a row a feature");
        Assert.That(drift, Is.LessThan(0.25));
        var alerts = (await hub.AlertsAsync()).Count;
        Assert.That(soon, Is.EqualTo(alerts).Within(5).Percent, "steps and windows differ at their edges alone");
    }

    private static async Task<double> ArchivedAsync(MachineHub hub, double rows)
    {
        var found = 0.0;
        await Eventually.TrueAsync(async () =>
            (found = await hub.NumberAsync("SELECT count(*) FROM telemetry")) >= rows, "all is in the archive",
            TimeSpan.FromMinutes(2));
        Assert.That(found, Is.EqualTo(rows));
        return found;
    }

    /// <summary>All that the query says of the records: no lag, and nothing more after that.</summary>
    private static async Task<IReadOnlyList<Foreseen>> AllAlertsAsync(MachineHub hub)
    {
        IReadOnlyList<Foreseen> alerts = [];
        await Eventually.TrueAsync(async () =>
        {
            var before = alerts.Count;
            alerts = await hub.AlertsAsync();
            var status = await hub.Get<IQueryStore>().StatusAsync("wear");
            Assert.That(status?.Error, Is.Null);
            return status is { LagRecords: 0 } && alerts.Count > 0 && alerts.Count == before
                && status.Watermark > Watched + Time;
        }, "the query has answered", TimeSpan.FromMinutes(3));
        return alerts;
    }
}
