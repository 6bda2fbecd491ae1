namespace Millrace.Api.Status;

/// <summary>
/// A count that a large store may take long for. It is made anew for each caller as long as that is fast; when it is
/// not, callers get the last one that was finished, and one counting goes on behind them.
/// </summary>
internal sealed class SlowCount(Func<CancellationToken, ValueTask<long>> count, TimeSpan patience, TimeProvider time)
{
    private readonly Lock _gate = new();
    private Task<long>? _running;
    private long? _last;

    /// <param name="stopping">Ends the counting; a caller that goes away does not.</param>
    public async Task<long> ReadAsync(CancellationToken stopping, CancellationToken ct)
    {
        var running = Running(stopping);
        if (Last is { } known)
        {
            using var waited = new CancellationTokenSource();
            var first = await Task.WhenAny(running, Task.Delay(patience, time, waited.Token));
            await waited.CancelAsync();
            if (first != running) return known;
        }

        return await running.WaitAsync(ct);
    }

    private long? Last
    {
        get
        {
            lock (_gate) return _last;
        }
    }

    private Task<long> Running(CancellationToken stopping)
    {
        lock (_gate) return _running ??= CountAsync(stopping);
    }

    private async Task<long> CountAsync(CancellationToken stopping)
    {
        // The caller holds the gate: what follows must not run before it is let go.
        await Task.Yield();
        try
        {
            var counted = await count(stopping);
            lock (_gate) _last = counted;
            return counted;
        }
        finally
        {
            lock (_gate) _running = null;
        }
    }
}
