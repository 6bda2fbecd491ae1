using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Millrace.Cql.Connections;

/// <summary>
/// A thread's turn at reading a connection. Those whose answers it has read go on here, one after the other, and what
/// they send leaves together when the last has gone on: nobody else is woken for it. A turn is ended for whoever holds
/// the thread: those behind him go on in the thread pool, and another thread reads.
/// </summary>
internal sealed class Turn
{
    [ThreadStatic]
    private static Turn? s_current;

    private readonly Lock _gate = new();
    private readonly List<IThreadPoolWorkItem> _answered = [];
    private readonly List<WriterSignal> _toWake = [];
    private int _next;
    private long _begun;
    private bool _isHeld;
    private bool _isOver;

    /// <summary>
    /// On a thread that has a turn: the write loop is woken when all have gone on. False: it must be woken now.
    /// </summary>
    public static bool TryPutOff(WriterSignal signal) => s_current is { } turn && turn.TryAdd(signal);

    /// <summary>One whose answer was read.</summary>
    public void Add(IThreadPoolWorkItem answered) => _answered.Add(answered);

    /// <summary>Lets them go on in the thread pool.</summary>
    public void Queue()
    {
        foreach (var one in _answered) ThreadPool.UnsafeQueueUserWorkItem(one, preferLocal: true);
        _answered.Clear();
    }

    /// <summary>Lets them go on here. False when the turn is over.</summary>
    public bool Run(Pace pace)
    {
        s_current = this;
        try
        {
            var begun = Stopwatch.GetTimestamp();
            while (TryBegin(begun, out var one))
            {
                Run(one);
                begun = pace.Add(begun);
            }
        }
        finally
        {
            s_current = null;
        }

        if (!TryFinish()) return false;
        foreach (var signal in _toWake) signal.WakeHere();
        _toWake.Clear();
        return true;
    }

    /// <summary>Ends it if one has gone on for so long, and still does.</summary>
    public bool TryEnd(TimeSpan heldMin)
    {
        lock (_gate)
        {
            if (!_isHeld || _isOver || Stopwatch.GetElapsedTime(_begun) < heldMin) return false;
            _isOver = true;
        }

        LeaveRest();
        return true;
    }

    private static void Run(IThreadPoolWorkItem one)
    {
        try
        {
            one.Execute();
        }
        catch (Exception e)
        {
            // None that awaits throws. What is not awaited and throws does to the process what it does in the pool.
            ThreadPool.UnsafeQueueUserWorkItem(static thrown => thrown.Throw(),
                ExceptionDispatchInfo.Capture(e), preferLocal: false);
        }
    }

    private bool TryBegin(long now, out IThreadPoolWorkItem one)
    {
        lock (_gate)
        {
            one = null!;
            _isHeld = !_isOver && _next < _answered.Count;
            if (!_isHeld) return false;
            one = _answered[_next++];
            _begun = now;
            return true;
        }
    }

    private bool TryFinish()
    {
        lock (_gate)
        {
            if (_isOver) return false;
            _answered.Clear();
            _next = 0;
            return true;
        }
    }

    private bool TryAdd(WriterSignal signal)
    {
        lock (_gate)
        {
            if (_isOver) return false;
            _toWake.Add(signal);
            return true;
        }
    }

    // Once it is over, the thread that had the turn touches neither list.
    private void LeaveRest()
    {
        foreach (var one in _answered.Skip(_next)) ThreadPool.UnsafeQueueUserWorkItem(one, preferLocal: false);
        foreach (var signal in _toWake) signal.WakeInPool();
    }
}
