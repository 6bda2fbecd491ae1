using System.Threading.Tasks.Sources;

namespace Millrace.Gateway.Publishing;

/// <summary>
/// A wake-up call for one waiter, without an allocation a wait. A call that comes while nobody waits is kept; several
/// are kept as one. So a waiter asks for its condition in a loop.
/// </summary>
internal sealed class AutoSignal : IValueTaskSource
{
    private const int Idle = 0;
    private const int Called = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Completes at the next call, or at once when one was kept. </summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Called) == Called) return ValueTask.CompletedTask;
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle) return new ValueTask(this, _core.Version);
        Interlocked.Exchange(ref _state, Idle);
        return ValueTask.CompletedTask;
    }

    public void Call()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Called: return;
                case Idle:
                    if (Interlocked.CompareExchange(ref _state, Called, Idle) == Idle) return;
                    break;
                default:
                    if (Interlocked.CompareExchange(ref _state, Idle, Waiting) != Waiting) break;
                    _core.SetResult(true);
                    return;
            }
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
