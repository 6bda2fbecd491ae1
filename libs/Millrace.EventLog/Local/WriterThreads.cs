namespace Millrace.EventLog.Local;

/// <summary>Work that may block on the disk.</summary>
internal interface IDiskWork
{
    /// <summary>Does a part of it; false when there is no more for now.</summary>
    bool Run();
}

/// <summary>
/// Threads of the log's own for writes and syncs: on the shared pool, a few partitions in a sync would keep everyone
/// else from running. They start when there is work, and end when there was none for a while.
/// </summary>
internal sealed class WriterThreads(int threadsMax) : IDisposable
{
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly Queue<IDiskWork> _work = new();
    private int _threads;
    private int _idle;
    private bool _stopped;

    public void Post(IDiskWork work)
    {
        lock (_gate)
        {
            _work.Enqueue(work);
            if (_idle >= _work.Count) Monitor.Pulse(_gate);
            else if (_threads < threadsMax) Start();
            else if (_idle > 0) Monitor.Pulse(_gate);
        }
    }

    /// <summary>Lets the threads end, when the work that is there is done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Start()
    {
        _threads++;
        new Thread(Loop) { IsBackground = true, Name = "millrace-log" }.Start();
    }

    private void Loop()
    {
        while (Next() is { } work)
        {
            while (work.Run() && !TryGiveWay(work))
            {
            }
        }
    }

    /// <summary>Lets other work have the thread, when there is any.</summary>
    private bool TryGiveWay(IDiskWork work)
    {
        lock (_gate)
        {
            if (_work.Count == 0) return false;
            _work.Enqueue(work);
            return true;
        }
    }

    private IDiskWork? Next()
    {
        lock (_gate)
        {
            while (_work.Count == 0)
            {
                _idle++;
                var called = !_stopped && Monitor.Wait(_gate, IdleMax);
                _idle--;
                if (called || _work.Count > 0) continue;
                _threads--;
                return null;
            }

            return _work.Dequeue();
        }
    }
}
