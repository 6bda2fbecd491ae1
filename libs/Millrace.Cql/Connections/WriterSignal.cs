using System.Threading.Tasks.Sources;

namespace Millrace.Cql.Connections;

/// <summary>
/// Wakes a connection's write loop, without allocating for it. Armed and set under the connection's lock.
/// </summary>
internal sealed class WriterSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _armed;

    /// <summary>Under the lock, when there is nothing to send: <see cref="WaitAsync"/> must follow.</summary>
    public void Arm()
    {
        _core.Reset();
        _armed = true;
    }

    /// <summary>Until somebody wakes it.</summary>
    public ValueTask WaitAsync() => new(this, _core.Version);

    /// <summary>
    /// Under the lock: whether the loop sleeps, and <see cref="Wake"/> must be called after the lock.
    /// </summary>
    public bool TryDisarm()
    {
        var armed = _armed;
        _armed = false;
        return armed;
    }

    /// <summary>On a thread that has a turn at reading, when all have gone on that it let go on.</summary>
    public void Wake()
    {
        if (!Turn.TryPutOff(this)) WakeInPool();
    }

    public void WakeInPool() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>The loop goes on on this thread, until it sleeps again or the socket is full.</summary>
    public void WakeHere() => _core.SetResult(true);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
