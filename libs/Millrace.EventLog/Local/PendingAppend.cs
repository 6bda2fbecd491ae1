using System.Threading.Tasks.Sources;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>One append on its way to the disk; used again for another one when its caller has the answer.</summary>
internal sealed class PendingAppend(Partition partition) : IValueTaskSource<OffsetRange>
{
    private ManualResetValueTaskSourceCore<OffsetRange> _core = new() { RunContinuationsAsynchronously = true };
    private IAppendOwner? _owner;
    private bool _reusable = true;

    /// <summary>The records while they wait for room; null once they are copied or given up.</summary>
    public RecordBatchBuilder? Waiting { get; set; }

    public long MaxTimestampMs { get; private set; }

    /// <summary>How many records it has.</summary>
    public int Count { get; set; }

    /// <summary>The place of its first record among the records that are written together.</summary>
    public int FirstInGroup { get; set; }

    /// <summary>For one who awaits; not for an owner.</summary>
    public ValueTask<OffsetRange> Answer => new(this, _core.Version);

    public void Begin(long maxTimestampMs, IAppendOwner? owner)
    {
        _owner = owner;
        MaxTimestampMs = maxTimestampMs;
    }

    /// <summary>
    /// Lets the caller give up while it waits for room. The token may call late: such an append is not used again.
    /// </summary>
    public void CancelBy(CancellationToken ct)
    {
        if (!ct.CanBeCanceled) return;
        _reusable = false;
        ct.UnsafeRegister(static (state, token) => ((PendingAppend)state!).Cancel(token), this);
    }

    public void Succeed(long firstOffsetOfGroup)
    {
        var first = firstOffsetOfGroup + FirstInGroup;
        var offsets = new OffsetRange(first, first + Count);
        if (LetGo() is { } owner) owner.OnAppended(offsets);
        else _core.SetResult(offsets);
    }

    public void Fail(Error error, Exception? cause)
    {
        if (LetGo() is { } owner) owner.OnAppendFailed(error.AsException(cause));
        else _core.SetException(error.AsException(cause));
    }

    public OffsetRange GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            if (_reusable)
            {
                _core.Reset();
                partition.Return(this);
            }
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    /// <summary>The owner, if there is one; then this may be used again before the owner has heard.</summary>
    private IAppendOwner? LetGo()
    {
        var owner = _owner;
        _owner = null;
        if (owner is not null) partition.Return(this);
        return owner;
    }

    private void Cancel(CancellationToken ct)
    {
        if (partition.GiveUp(this)) _core.SetException(new OperationCanceledException(ct));
    }
}
