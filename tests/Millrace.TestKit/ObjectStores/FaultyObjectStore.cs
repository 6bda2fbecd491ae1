using Millrace.ObjectStore;

namespace Millrace.TestKit.ObjectStores;

/// <summary>What becomes of one write.</summary>
public enum WriteFault
{
    None,

    /// <summary>It fails and has no effect.</summary>
    Refused,

    /// <summary>It takes effect, and the answer is lost.</summary>
    AnswerLost,

    /// <summary>The process dies before it takes effect.</summary>
    CrashBefore,

    /// <summary>The process dies after it took effect.</summary>
    CrashAfter,
}

/// <summary>The process that used the store is dead: nothing works for it any more.</summary>
public sealed class CrashedException() : Exception("The process died here.");

/// <summary>
/// A store whose writes fail as a test says. After a crash, it fails for good; open another on the same data.
/// </summary>
public sealed class FaultyObjectStore(IObjectStore inner, Func<string, WriteFault> fault) : IObjectStore
{
    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;

    /// <summary>How many writes were begun.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Completes when the process died.</summary>
    public Task Crashed => _crashed.Task;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        await WriteAsync(key, async () =>
        {
            await inner.PutAsync(key, content, ct).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);

    public async ValueTask PutAsync(string key, Stream content, CancellationToken ct = default) =>
        await WriteAsync(key, async () =>
        {
            await inner.PutAsync(key, content, ct).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);

    public async ValueTask<bool> PutIfAbsentAsync(
        string key, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        await WriteAsync(key, async () => await inner.PutIfAbsentAsync(key, content, ct).ConfigureAwait(false))
            .ConfigureAwait(false);

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct = default) => Alive().GetAsync(key, ct);

    public ValueTask<byte[]?> GetRangeAsync(string key, long offset, int count, CancellationToken ct = default) =>
        Alive().GetRangeAsync(key, offset, count, ct);

    public IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, string? after = null, CancellationToken ct = default) => Alive().ListAsync(prefix, after, ct);

    public ValueTask<ObjectInfo?> FindAsync(string key, CancellationToken ct = default) => Alive().FindAsync(key, ct);

    public ValueTask DeleteAsync(string key, CancellationToken ct = default) => Alive().DeleteAsync(key, ct);

    public string? LocalPath(string key) => inner.LocalPath(key);

    private async Task<bool> WriteAsync(string key, Func<Task<bool>> write)
    {
        Alive();
        Interlocked.Increment(ref _writes);
        var chosen = fault(key);
        if (chosen == WriteFault.Refused) throw new IOException($"{key}: refused for the test.");
        if (chosen == WriteFault.CrashBefore) throw Crash();
        var result = await write().ConfigureAwait(false);
        return chosen switch
        {
            WriteFault.AnswerLost => throw new IOException($"{key}: answer lost for the test."),
            WriteFault.CrashAfter => throw Crash(),
            _ => result,
        };
    }

    private IObjectStore Alive() => _crashed.Task.IsCompleted ? throw new CrashedException() : inner;

    private CrashedException Crash()
    {
        _crashed.TrySetResult();
        return new CrashedException();
    }
}
