using Millrace.TestKit;

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
    private readonly Samples _taken = new();
    private readonly Samples _machine = new();
    private readonly Samples _storedP50 = new();
    private readonly Samples _storedP99 = new();
    private readonly AlertStages _stages = new();
    private int _rounds;

    /// <summary>What one write with a sync takes when the platform has nothing to do.</summary>
    public void LoneSync(double milliseconds) => _loneSync.Add(milliseconds);

    public void Syncs(double perSecond, double meanMs)
    {
        _syncs.Add(perSecond);
        _syncMs.Add(meanMs);
    }

    /// <param name="rate">Messages a second that were acknowledged.</param>
    /// <param name="taken">Rows a second that were stored while more waited.</param>
    public void Saturated(double rate, double cpuUs, double taken)
    {
        _rounds++;
        _saturation.Add(rate);
        _cpuUs.Add(cpuUs);
        _taken.Add(taken);
    }

    /// <param name="process">The part of all cores that this process took.</param>
    /// <param name="machine">The part of all cores that was busy, servers included.</param>
    public void Held(double rate, double process, double machine)
    {
        _held.Add(rate);
        _busy.Add(process);
        _machine.Add(machine);
    }

    public void Alerts(IReadOnlyList<SeenAlert> seen, TimedLog log)
    {
        Percentiles(seen.Select(alert => alert.Milliseconds), _p50, _p99);
        _stages.Add(seen, log);
    }

    public void Rows(IReadOnlyList<double> milliseconds) => Percentiles(milliseconds, _storedP50, _storedP99);

    /// <param name="goals">Whether those of one process without a server hold.</param>
    public void Tell(Report report, string setting, bool goals)
    {
        report.Line($"{setting}; medians of {_rounds} rounds, with half the distance of their quartiles.");
        report.Line("All roles and the load generator share the cores.");
        report.Line();
        report.Line("| what | median | spread | x goal |");
        report.Line("|---|---:|---:|---:|");
        Line($"saturation, window {AlertLoad.Window}", _saturation, "n0", "messages/s");
        Line("CPU a message there, generator and all roles", _cpuUs, "n1", "us");
        Line("rows stored from a backlog", _taken, "n0", "rows/s");
        Line("rate held, half of the lesser", _held, "n0", "messages/s");
        Line("cores that this process takes at that rate", _busy, "p0", "");
        Line("cores busy at that rate, servers included", _machine, "p0", "");
        if (goals)
        {
            Line("a lone write and fdatasync, nothing else running here, mean", _loneSync, "n2", "ms");
            Line("writes with fdatasync of the log at that rate", _syncs, "n0", "a second");
            Line("one of these, mean", _syncMs, "n2", "ms");
        }

        Goal("publish to durable alert, p50", _p50, GoalP50Ms);
        Goal("publish to durable alert, p99", _p99, GoalP99Ms);
        Line("publish to warm row, p50", _storedP50, "n2", "ms");
        Line("publish to warm row, p99", _storedP99, "n2", "ms");
        report.Line();
        _stages.Tell(report);

        void Goal(string what, Samples samples, double ms) =>
            Line(goals ? $"{what} (goal {ms} ms)" : what, samples, "n2", "ms", goals ? ms : 0);

        void Line(string what, Samples samples, string format, string unit, double goal = 0)
        {
            var ratio = goal > 0 ? $"{samples.Median / goal:n2}" : "";
            var value = $"{samples.Median.ToString(format)} {unit}".TrimEnd();
            report.Line($"| {what} | {value} | {samples.Spread:p0} | {ratio} |");
        }
    }

    private static void Percentiles(IEnumerable<double> milliseconds, Samples p50, Samples p99)
    {
        var sorted = milliseconds.Order().ToList();
        p50.Add(sorted[sorted.Count / 2]);
        p99.Add(sorted[sorted.Count * 99 / 100]);
    }
}
