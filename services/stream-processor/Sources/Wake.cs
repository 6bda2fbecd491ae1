namespace Millrace.StreamProcessor.Sources;

/// <summary>Wakes one waiter; many calls before it looks count as one.</summary>
internal sealed class Wake
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    public void Set()
    {
        lock (_signal)
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
    }

    /// <summary>Returns when it was set, or after the time.</summary>
    public Task WaitAsync(TimeSpan most, CancellationToken ct) => _signal.WaitAsync(most, ct);
}
