using System.Text.Json;
using Millrace.Contracts;
using Millrace.Integration.Tests.Archive;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>
/// The ledger over the whole way: what came is accepted or rejected, and what was accepted is, for each consumer,
/// written or a dead letter. By the counters, and by what log and stores really hold.
/// </summary>
public class LedgerTests
{
    private const int Devices = LedgerFleet.Devices;
    private const int Accepted = Devices * LedgerFleet.Accepted;
    private const int Rejected = Devices * LedgerFleet.WrongTopics;

    /// <summary>
    /// Of each query: rows of a device that it cannot read, that its policy drops, and that fail in an expression.
    /// </summary>
    private static readonly (string Name, string Text, string Policy, int Unread, int Dropped, int Failed)[] Queries =
    [
        ("all", "SELECT value INTO every FROM telemetry", "adjust", LedgerFleet.Unreadable, 0, 0),
        ("divided", "SELECT 10 / value AS tenth INTO tenths FROM telemetry", "adjust", LedgerFleet.Unreadable, 0, 1),
        ("timed", "SELECT value INTO timed FROM telemetry TIMESTAMP BY at", "drop", LedgerFleet.Rows - 1, 1, 0),
        ("counted", "SELECT COUNT(*) AS n INTO counted FROM telemetry GROUP BY TumblingWindow(second, 1)", "adjust",
            LedgerFleet.Unreadable, 0, 0),
    ];

    [Test]
    public async Task What_came_is_accepted_or_rejected_and_then_written_or_a_dead_letter()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path, ("Archiver:RollAge", "00:00:01"),
            ("Archiver:RecordSizeMax", "4KiB"), ("Stores:RowBytesMax", "8KiB"));
        await platform.StartAsync();
        foreach (var query in Queries) await platform.ApplyAsync(query.Name, query.Text, query.Policy);
        await new LedgerFleet(platform).SendAsync();
        await platform.SettleAsync();
        var page = await MetricsPage.ReadAsync(platform.Api);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        var records = await stopped.TelemetryAsync();
        var letters = await LettersAsync(stopped);
        Assert.Multiple(() => GatewayBalances(page, records.Count));
        await WarmStoreBalancesAsync(page, stopped, letters);
        await ArchiveBalancesAsync(page, folder.Path, letters);
        foreach (var query in Queries) Assert.Multiple(() => QueryBalances(page, query, letters));
        Assert.Multiple(() => DelaysAreTold(page));
    }

    private static void GatewayBalances(MetricsPage page, int records)
    {
        Assert.That(page.Sum("millrace.gateway.publishes.received"), Is.EqualTo(Accepted + Rejected));
        Assert.That(page.Sum("millrace.gateway.publishes.accepted"), Is.EqualTo(Accepted));
        Assert.That(page.Sum("millrace.gateway.publishes.rejected"), Is.EqualTo(Rejected));
        Assert.That(page.Sum("millrace.gateway.publishes.rejected", ("reason", "topic-of-another")),
            Is.EqualTo(Rejected));
        Assert.That(page.Sum("millrace.eventlog.records", ("topic", Topics.Telemetry)), Is.EqualTo(Accepted));
        Assert.That(records, Is.EqualTo(Accepted), "records in the log");
    }

    private static async Task WarmStoreBalancesAsync(
        MetricsPage page, StoppedPlatform stopped, List<DeadLetter> letters)
    {
        var written = page.Sum("millrace.warm.rows.written", ("sink", ConsumerGroups.WarmWriter));
        var refused = page.Sum("millrace.warm.rows.refused", ("sink", ConsumerGroups.WarmWriter));
        Assert.That(written + refused, Is.EqualTo(Accepted));
        Assert.That(refused, Is.EqualTo(Devices));
        Assert.That(page.Sum("millrace.stores.rows.expired", ("kind", "telemetry")), Is.Zero);
        Assert.That(await stopped.Get<ITelemetryStore>().CountAsync(), Is.EqualTo(written), "rows in the warm store");
        Assert.That(letters.Count(l => l.Stage == DeadLetterStages.WarmWriter), Is.EqualTo(refused));
        Assert.That(page.Sum("millrace.stream.dead.letters", ("stage", DeadLetterStages.WarmWriter)),
            Is.EqualTo(refused));
    }

    private static async Task ArchiveBalancesAsync(MetricsPage page, string data, List<DeadLetter> letters)
    {
        var written = page.Sum("millrace.archiver.rows");
        var refused = page.Sum("millrace.archiver.dead.letters");
        Assert.That(written + refused, Is.EqualTo(Accepted));
        Assert.That(refused, Is.EqualTo(2 * Devices));
        var (rows, _) = await IndependentDeltaReader.ReadAsync(Path.Combine(data, "archive", "telemetry"));
        Assert.That(rows, Has.Count.EqualTo(written), "rows in the archive");
        Assert.That(letters.Count(l => l.Stage == DeadLetterStages.Archiver), Is.EqualTo(refused));
    }

    private static void QueryBalances(
        MetricsPage page, (string Name, string Text, string Policy, int Unread, int Dropped, int Failed) query,
        List<DeadLetter> letters)
    {
        var label = ("query", query.Name);
        var rowsIn = page.Sum("millrace.query.rows.in", label);
        var taken = page.Sum("millrace.query.rows.taken", label);
        var unread = page.Sum("millrace.query.rows.failed", label, ("step", "read"));
        var failed = page.Sum("millrace.query.rows.failed", label, ("step", "answer"));
        var dropped = page.Sum("millrace.query.events.dropped", label);
        Assert.That(page.Sum("millrace.query.records.in", label), Is.EqualTo(Accepted), query.Name);
        Assert.That(rowsIn, Is.EqualTo(taken + unread + dropped), query.Name);
        Assert.That(rowsIn, Is.EqualTo(Devices * LedgerFleet.Rows), query.Name);
        Assert.That(unread, Is.EqualTo(Devices * query.Unread), query.Name);
        Assert.That(dropped, Is.EqualTo(Devices * query.Dropped), query.Name);
        Assert.That(failed, Is.EqualTo(Devices * query.Failed), query.Name);
        Assert.That(letters.Count(l => l.Query == query.Name), Is.EqualTo(unread + failed), query.Name);
    }

    /// <summary>All of it came within the minute.</summary>
    private static void DelaysAreTold(MetricsPage page)
    {
        Told("millrace_warm_delay_seconds", ("sink", ConsumerGroups.WarmWriter));
        foreach (var query in Queries)
        {
            Told("millrace_query_delay_seconds", ("query", query.Name), ("stage", "whole"));
            Assert.That(page.Total("millrace_query_busy_time_seconds_total", ("query", query.Name)),
                Is.Positive.And.LessThan(60));
        }

        void Told(string delay, params (string Name, string Value)[] labels)
        {
            var count = page.Total($"{delay}_count", labels);
            Assert.That(count, Is.InRange(1, Accepted), delay);
            Assert.That(page.Total($"{delay}_sum", labels) / count, Is.Not.Negative.And.LessThan(60), delay);
        }
    }

    private static async Task<List<DeadLetter>> LettersAsync(StoppedPlatform stopped)
    {
        var letters = new List<DeadLetter>();
        foreach (var batch in await stopped.BatchesAsync(Topics.DeadLetter))
        {
            foreach (var record in batch)
                letters.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!);
        }

        return letters;
    }
}
