using System.Diagnostics;
using System.Globalization;

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
            $"One thread, processor time, {Telemetry.Devices:n0} devices, bodies of {Telemetry.BodyBytes} B with 8 " +
            $"fields, 4 headers, "
            + $"batches of {Telemetry.BatchRecords} records. Median of {Rounds} turns of {RoundTime.TotalSeconds} " +
                $"s, +- half the distance "
            + "of the quartiles. By hand: Utf8JsonReader, a Dictionary by device, no windows, times or row ids.");
        report.Line();
        report.Line(
            "| query | events/s/core | an event | by hand | x by hand | goal | allocated an event | rows an event |");
        report.Line("|---|---:|---:|---:|---:|---:|---:|---:|");
        var missed = new List<string>();
        foreach (var one in Cases()) report.Line(Measure(one, missed));
        if (missed.Count > 0) report.Line();
        missed.ForEach(report.Line);
        return Task.CompletedTask;
    }

    private static IEnumerable<Case> Cases()
    {
        var rules = new RuleCase();
        var window = new WindowCase();
        yield return new("10 rules over 3 fields, from bytes", rules.RunEngine, rules.RunByHand, () => rules.Rows,
            1e9 / 1.5e6);
        yield return new("tumbling average by device, from bytes", window.RunEngine, window.RunByHand, () =>
            window.Rows, null);
        yield return new("tumbling average by device, decoded events", window.RunDecoded, window.RunDecodedByHand,
            () => window.Rows, 25);
        var hopping = new WindowCase("HoppingWindow(second, 180, 60)");
        yield return new("hopping average by device (3 panes), decoded events", hopping.RunDecoded,
            hopping.RunDecodedByHand, () => hopping.Rows, null);
        var all = new WindowCase("TumblingWindow(minute, 3)", partitions: 4);
        yield return new("the same over 4 partitions merged by time, from bytes", all.RunEngine, all.RunByHand, () =>
            all.Rows, null);
    }

    private static string Measure(Case one, List<string> missed)
    {
        Samples engine = new(), byHand = new(), ratio = new(), allocated = new(), rows = new();
        Turn(one.Engine, RoundTime / 2, out _);
        Turn(one.ByHand, RoundTime / 2, out _);
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

    /// <param name="Engine">Works through some events and says how many.</param>
    private sealed record Case(string Name, Func<int> Engine, Func<int> ByHand, Func<long> Rows, double? GoalNs);
}
