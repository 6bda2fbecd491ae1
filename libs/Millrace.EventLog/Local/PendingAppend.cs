using System.Threading.Tasks.Sources;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>One append on its way to the disk; used again for another one when its caller has the answer.</summary>
internal sealed class PendingAppend(Partition owner) : IValueTaskSource<OffsetRange>
{
    private ManualResetValueTaskSourceCore<OffsetRange> _core;
    private bool _reusable = true;

    /// <summary>The records while they wait for room; null once they are copied or given up.</summary>
    public RecordBatchBuilder? Waiting { get; set; }

    public long MaxTimestampMs { get; private set; }

    /// <summary>How many records it has.</summary>
    public int Count { get; set; }

    /// <summary>The place of its first record among the records that are written together.</summary>
    public int FirstInGroup { get; set; }

    /// <param name="inline">
    /// The caller's code may run on the thread that writes; it must not unless the caller said so.
    /// </param>
    public ValueTask<OffsetRange> Begin(long maxTimestampMs, bool inline)
    {
        _core.RunContinuationsAsynchronously = !inline;
        MaxTimestampMs = maxTimestampMs;
        return new ValueTask<OffsetRange>(this, _core.Version);
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
        _core.SetResult(new OffsetRange(first, first + Count));
    }

    public void Fail(Error error, Exception? cause) => _core.SetException(error.AsException(cause));

    public void Fail(Exception exception) => _core.SetException(exception);

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
                owner.Return(this);
            }
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken ct)
    {
        if (owner.GiveUp(this)) _core.SetException(new OperationCanceledException(ct));
    }
}
