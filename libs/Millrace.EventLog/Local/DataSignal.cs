using System.Threading.Tasks.Sources;

namespace Millrace.EventLog.Local;

/// <summary>
/// Wakes one reader; used again for its next wait. Whoever takes it off the partition's list gives it.
/// </summary>
internal sealed class DataSignal(Partition partition) : IValueTaskSource
{
    // The reader's code must not run on the thread that writes.
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>Completes when the record of this offset is durable.</summary>
    public async ValueTask WaitAsync(long offset, CancellationToken ct)
    {
        _core.Reset();
        if (!partition.WaitFor(offset, this)) return;
        await using var registration = ct.UnsafeRegister(
            static (state, token) => ((DataSignal)state!).Cancel(token), this);
        await new ValueTask(this, _core.Version).ConfigureAwait(false);
    }

    public void Give() => _core.SetResult(true);

    public void Fail(Exception exception) => _core.SetException(exception);

    public void GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken ct)
    {
        if (partition.StopWaiting(this)) _core.SetException(new OperationCanceledException(ct));
    }
}
