using System.Diagnostics;

namespace Millrace.Hostile;

/// <summary>
/// Holds this process to a share of the processor in every window, as a control group's quota does: attackers that are
/// hostile, and not merely hungry.
/// </summary>
public sealed class CpuShare(double cores)
{
    /// <summary>What the figure of the cores is called beside those of the attacks.</summary>
    public const string UsedName = "cores used on average";

    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _windowAt;
    private TimeSpan _usedAt = Used;

    /// <summary>Time of the processor used since the beginning of the process.</summary>
    public static TimeSpan Used => Environment.CpuUsage.TotalTime;

    /// <summary>Waits for the next window when the share of this one is used up.</summary>
    public async ValueTask WaitAsync(CancellationToken stop)
    {
        // One after the other: thousands that look at the clock would use the share up by that alone.
        await _turn.WaitAsync(stop);
        try
        {
            while (Left() is { } left) await Task.Delay(left, TimeProvider.System, stop);
        }
        finally
        {
            _turn.Release();
        }
    }

    private TimeSpan? Left()
    {
        var now = _watch.Elapsed;
        var used = Used;
        if (now - _windowAt >= Window)
        {
            // What a window took too much, the next ones have less.
            var windows = (int)((now - _windowAt) / Window);
            var debt = used - _usedAt - (windows * cores * Window);
            _usedAt = debt > TimeSpan.Zero ? used - debt : used;
            _windowAt = now;
        }

        return used - _usedAt < cores * Window ? null : Window - (now - _windowAt);
    }
}
