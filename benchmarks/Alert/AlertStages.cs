using System.Diagnostics;
using Millrace.Contracts;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Alert;

/// <summary>An alert that was seen, and where it and its message stand.</summary>
/// <param name="Sent">A timestamp, as all others here: when the device began to send.</param>
internal sealed record SeenAlert(
    TopicPartition Alerts, long AlertOffset, TopicPartition Telemetry, long Offset, long Sent, long Seen)
{
    public double Milliseconds => Stopwatch.GetElapsedTime(Sent, Seen).TotalMilliseconds;
}

/// <summary>
/// Where the time of alerts goes, stage by stage: of the middle half of them, and of the slowest hundredth.
/// </summary>
internal sealed class AlertStages
{
    private static readonly string[] Names =
    [
        "sent -> appended: sockets, gateway, the append before",
        "appended -> durable",
        "durable -> read by the query",
        "read -> alert appended: the batch before, evaluation",
        "alert appended -> durable",
        "durable -> seen by a reader",
    ];

    private readonly List<double[]> _middle = [];
    private readonly List<double[]> _slowest = [];

    /// <summary>Takes a round's alerts in, with the times that the log noted.</summary>
    public void Add(IReadOnlyList<SeenAlert> alerts, TimedLog log)
    {
        var sorted = alerts.OrderBy(alert => alert.Milliseconds).ToList();
        _middle.AddRange(sorted[(sorted.Count / 4)..(sorted.Count * 3 / 4)].Select(a => Of(a, log)).OfType<double[]>());
        _slowest.AddRange(sorted[(sorted.Count * 99 / 100)..].Select(a => Of(a, log)).OfType<double[]>());
    }

    public void Tell(Report report)
    {
        report.Line("| where the time goes | mean of the middle half | mean of the slowest 1 % |");
        report.Line("|---|---:|---:|");
        for (var i = 0; i < Names.Length; i++)
            report.Line($"| {Names[i]} | {Told(_middle, i)} | {Told(_slowest, i)} |");
    }

    private static string Told(List<double[]> alerts, int stage)
    {
        var mean = Mean(alerts, stage);
        return $"{mean:n2} ms, {mean / Enumerable.Range(0, Names.Length).Sum(i => Mean(alerts, i)):p0}";
    }

    private static double Mean(List<double[]> alerts, int stage) =>
        alerts.Select(stages => stages[stage]).DefaultIfEmpty(double.NaN).Average();

    private static double[]? Of(SeenAlert alert, TimedLog log)
    {
        if (log.AppendOf(alert.Telemetry, alert.Offset) is not { } message) return null;
        if (log.ReadOf(alert.Telemetry, alert.Offset) is not { } read) return null;
        if (log.AppendOf(alert.Alerts, alert.AlertOffset) is not { } row) return null;
        long[] times = [alert.Sent, message.Begun, message.Ended, read.Ended, row.Begun, row.Ended, alert.Seen];
        return [.. times.Zip(times.Skip(1), (from, to) => (to - from) * 1_000.0 / Stopwatch.Frequency)];
    }
}
