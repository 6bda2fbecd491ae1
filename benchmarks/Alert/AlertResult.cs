namespace Millrace.Benchmarks.Alert;

/// <summary>What the rounds gave.</summary>
internal sealed class AlertResult
{
    private const double GoalP50Ms = 2, GoalP99Ms = 8;

    private readonly Samples _saturation = new();
    private readonly Samples _cpuUs = new();
    private readonly Samples _held = new();
    private readonly Samples _busy = new();
    private readonly Samples _loneSync = new();
    private readonly Samples _syncs = new();
    private readonly Samples _syncMs = new();
    private readonly Samples _p50 = new();
    private readonly Samples _p99 = new();
    private readonly AlertStages _stages = new();
    private int _rounds;

    /// <summary>What one write with a sync takes when the platform has nothing to do.</summary>
    public void LoneSync(double milliseconds) => _loneSync.Add(milliseconds);

    public void Syncs(double perSecond, double meanMs)
    {
        _syncs.Add(perSecond);
        _syncMs.Add(meanMs);
    }

    public void Add(
        double saturation, double cpuUs, double held, double busy, IReadOnlyList<SeenAlert> seen, TimedLog log)
    {
        _rounds++;
        _saturation.Add(saturation);
        _cpuUs.Add(cpuUs);
        _held.Add(held);
        _busy.Add(busy);
        var sorted = seen.Select(alert => alert.Milliseconds).Order().ToList();
        _p50.Add(sorted[sorted.Count / 2]);
        _p99.Add(sorted[sorted.Count * 99 / 100]);
        _stages.Add(seen, log);
    }

    public void Tell(Report report, string setting, int window)
    {
        report.Line($"{setting}; medians of {_rounds} rounds, with half the distance of their quartiles.");
        report.Line("All roles and the load generator share the cores.");
        report.Line();
        report.Line("| what | median | spread | x goal |");
        report.Line("|---|---:|---:|---:|");
        Line($"saturation, window {window}", _saturation, "n0", "messages/s");
        Line("CPU a message there, generator and all roles", _cpuUs, "n1", "us");
        Line("rate held at half of it", _held, "n0", "messages/s");
        Line("cores busy at that rate", _busy, "p0", "");
        Line("a lone write and fdatasync, nothing else running here, mean", _loneSync, "n2", "ms");
        Line("writes with fdatasync of the log at that rate", _syncs, "n0", "a second");
        Line("one of these, mean", _syncMs, "n2", "ms");
        Line($"publish to durable alert, p50 (goal {GoalP50Ms} ms)", _p50, "n2", "ms", GoalP50Ms);
        Line($"publish to durable alert, p99 (goal {GoalP99Ms} ms)", _p99, "n2", "ms", GoalP99Ms);
        report.Line();
        _stages.Tell(report);

        void Line(string what, Samples samples, string format, string unit, double goal = 0)
        {
            var ratio = goal > 0 ? $"{samples.Median / goal:n2}" : "";
            var value = $"{samples.Median.ToString(format)} {unit}".TrimEnd();
            report.Line($"| {what} | {value} | {samples.Spread:p0} | {ratio} |");
        }
    }
}
