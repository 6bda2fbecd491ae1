namespace Millrace.StreamProcessor.Sources;

/// <summary>
/// The step of a stream that was begun last. A stream that fails does not wait for it, and what it works with may not
/// go before it has ended.
/// </summary>
internal sealed class LastStep : IAsyncDisposable
{
    private Task _work = Task.CompletedTask;

    /// <summary>Of steps that come one at a time.</summary>
    public Task<T> Begin<T>(Task<T> work)
    {
        _work = work;
        return work;
    }

    /// <summary>It has ended; what it failed with is the stream's to tell.</summary>
    public async ValueTask DisposeAsync() =>
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
