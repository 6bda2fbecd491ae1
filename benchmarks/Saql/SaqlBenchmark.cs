using System.Diagnostics;
using System.Globalization;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Saql;

/// <summary>
/// The query engine on one core, against a loop written by hand for the same question: what the engine adds to the
/// work that must be done. Both run turn by turn.
/// </summary>
internal static class SaqlBenchmark
{
    private const int Rounds = 7;
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(600);

    public static Task RunAsync(Report report)
    {
        report.Line(
            $"One thread, processor time, {Telemetry.Devices:n0} devices unless said otherwise, bodies of " +
            $"{Telemetry.BodyBytes} B with 8 fields, 4 headers, batches of {Telemetry.BatchRecords} records; 100,000 " +
            $"events are a second of the stream's time. Median of {Rounds} turns of {RoundTime.TotalSeconds} s, +- " +
            "half the distance of the quartiles. By hand: Utf8JsonReader, a Dictionary by device where there is " +
            "state, no windows, times or row ids.");
        report.Line();
        report.Line(
            "| query | events/s/core | an event | by hand | x by hand | goal | allocated an event | rows an event |");
        report.Line("|---|---:|---:|---:|---:|---:|---:|---:|");
        var missed = new List<string>();
        foreach (var one in SaqlCases.All()) report.Line(Measure(one, missed));
        if (missed.Count > 0) report.Line();
        missed.ForEach(report.Line);
        return Task.CompletedTask;
    }

    private static string Measure(SaqlCase one, List<string> missed)
    {
        Samples engine = new(), byHand = new(), ratio = new(), allocated = new(), rows = new();
        Warm(one.Engine, one.WarmEvents);
        Warm(one.ByHand, one.WarmEvents);
        for (var round = 0; round < Rounds; round++)
        {
            var rowsBefore = one.Rows();
            var ns = Turn(one.Engine, RoundTime, out var events, allocated);
            rows.Add((one.Rows() - rowsBefore) / (double)events);
            var handNs = Turn(one.ByHand, RoundTime / 2, out _);
            engine.Add(ns);
            byHand.Add(handNs);
            ratio.Add(ns / handNs);
        }

        var goal = one.GoalNs is { } ns0
            ? string.Create(CultureInfo.InvariantCulture, $"{ns0:f0} ns ({engine.Median / ns0:f2}x)") : "";
        if (engine.Median > one.GoalNs)
        {
            missed.Add(string.Create(CultureInfo.InvariantCulture,
                $"{one.Name}: {engine.Median / one.GoalNs:f2}x its goal. Of {engine.Median:f1} ns, " +
                $"{byHand.Median:f1} are what the loop by hand takes; the rest is windows, event times and row ids."));
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {one.Name} | {1e9 / engine.Median:n0} | {engine.Median:f1} ns ±{engine.Spread:p0} | " +
                $"{byHand.Median:f1} ns | {ratio.Median:f2} ±{ratio.Spread:p0} | {goal} | {allocated.Median:f2} B | " +
                $"{rows.Median:f5} |");
    }

    private static void Warm(Func<int> run, long events)
    {
        var watch = Stopwatch.StartNew();
        for (var done = 0L; done < events || watch.Elapsed < RoundTime / 2;) done += run();
    }

    /// <summary>Processor nanoseconds an event: what else runs on the machine takes its time, but not this.</summary>
    private static double Turn(Func<int> run, TimeSpan time, out long events, Samples? allocated = null)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        var start = Environment.CpuUsage.TotalTime;
        events = 0;
        while (watch.Elapsed < time) events += run();
        var elapsed = Environment.CpuUsage.TotalTime - start;
        allocated?.Add((GC.GetAllocatedBytesForCurrentThread() - before) / (double)events);
        return elapsed.TotalNanoseconds / events;
    }
}
