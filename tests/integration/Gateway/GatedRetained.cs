using Millrace.Stores;
using Millrace.Stores.Retained;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>
/// A store of retained messages behind a gate: what it has done, or read, can be made to wait before it is told.
/// </summary>
internal sealed class GatedRetained(IRetainedStore store) : IRetainedStore
{
    private volatile TaskCompletionSource _pages = Opened();
    private volatile TaskCompletionSource _kept = Opened();
    private volatile int _pagesRead;
    private volatile int _setsDone;

    /// <summary>Pages that were read, told or not.</summary>
    public int PagesRead => _pagesRead;

    /// <summary>Calls that have kept messages, told or not.</summary>
    public int SetsDone => _setsDone;

    public void HoldPages() => _pages = Shut();

    public void HoldKept() => _kept = Shut();

    public void Open()
    {
        _pages.TrySetResult();
        _kept.TrySetResult();
    }

    public async ValueTask<IReadOnlyList<RetainOutcome>> SetAsync(
        IReadOnlyList<RetainedMessage> messages, RetainedLimits limits, CancellationToken ct = default)
    {
        var gate = _kept;
        var outcomes = await store.SetAsync(messages, limits, ct);
        Interlocked.Increment(ref _setsDone);
        await gate.Task;
        return outcomes;
    }

    public async ValueTask<Page<RetainedMessage>> ListAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation,
        CancellationToken ct = default)
    {
        var gate = _pages;
        var page = await store.ListAsync(space, topicPrefix, now, limit, continuation, ct);
        Interlocked.Increment(ref _pagesRead);
        await gate.Task;
        return page;
    }

    public ValueTask<RetainedMessage?> FindAsync(
        string space, string topic, DateTimeOffset now, CancellationToken ct = default) =>
        store.FindAsync(space, topic, now, ct);

    public ValueTask<Page<string>> ListTopicsAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation,
        CancellationToken ct = default) =>
        store.ListTopicsAsync(space, topicPrefix, now, limit, continuation, ct);

    public ValueTask<long> CountAsync(CancellationToken ct = default) => store.CountAsync(ct);

    public ValueTask<long> ExpireAsync(DateTimeOffset now, CancellationToken ct = default) =>
        store.ExpireAsync(now, ct);

    private static TaskCompletionSource Shut() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Opened()
    {
        var opened = Shut();
        opened.SetResult();
        return opened;
    }
}
