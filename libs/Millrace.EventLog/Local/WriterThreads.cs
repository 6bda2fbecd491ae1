using Millrace.EventLog.Local.WriteAhead;

namespace Millrace.EventLog.Local;

/// <summary>Work that may block on the disk.</summary>
internal interface IDiskWork
{
    void Run();
}

/// <summary>
/// Threads of the log's own for writes and syncs: on the shared pool, a few partitions in a sync would keep everyone
/// else from running. They start when there is work, and end when there was none for a while.
/// </summary>
/// <remarks>
/// Small batches are committed by one thread at a time, all that came while it was at the last ones: on one disk syncs
/// wait for each other anyway, and a sync costs the same whatever it makes durable. Large batches are written beside
/// that, each by a thread of its own. Where processors are few, whoever has committed also answers before the next
/// commit: to hand it to another thread, and to wake that one, costs more there than the disk's waiting does.
/// </remarks>
/// <param name="answersBeside">Whether one thread answers while the next one commits.</param>
internal sealed class WriterThreads(int threadsMax, bool answersBeside, WriteAheadLog writeAhead) : IDisposable
{
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly List<Partition> _waiting = [];
    private readonly Queue<IDiskWork> _alone = new();
    private int _threads;
    private int _idle;
    private bool _committing;
    private bool _stopped;

    /// <summary>A batch of the partition waits, and nobody has been told.</summary>
    public void Post(Partition partition)
    {
        lock (_gate)
        {
            if (Enqueue(partition)) Call();
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

    private int Jobs => _alone.Count + (!_committing && _waiting.Count > 0 ? 1 : 0);

    private void PostAlone(IDiskWork work)
    {
        lock (_gate)
        {
            _alone.Enqueue(work);
            Call();
        }
    }

    /// <summary>Whether a thread is needed for it: whoever is committing looks itself when that is done.</summary>
    private bool Enqueue(Partition partition)
    {
        if (partition.WaitingBytes > writeAhead.BatchBytesMax)
        {
            _alone.Enqueue(partition);
            return true;
        }

        _waiting.Add(partition);
        return !_committing;
    }

    private void Call()
    {
        if (_idle >= Jobs) Monitor.Pulse(_gate);
        else if (_threads < threadsMax) Start();
        else if (_idle > 0) Monitor.Pulse(_gate);
    }

    private void Start()
    {
        _threads++;
        new Thread(Loop) { IsBackground = true, Name = "millrace-log" }.Start();
    }

    private void Loop()
    {
        var turn = new List<Partition>();
        while (TryNext(turn, out var alone))
        {
            if (alone is null) Commit(turn);
            else Run(alone);
        }
    }

    private void Run(IDiskWork work)
    {
        work.Run();
        if (work is Partition partition) GoOn(partition, isLast: true);
    }

    private void Commit(List<Partition> turn)
    {
        // Whose files are held by retention waits for them by itself; the others do not wait with it.
        for (var i = turn.Count - 1; i >= 0; i--)
        {
            if (turn[i].TryBegin()) continue;
            PostAlone(turn[i]);
            turn.RemoveAt(i);
        }

        writeAhead.Commit(turn);
        foreach (var partition in turn) partition.Settle();
        if (answersBeside) EndCommit(isLast: false);
        for (var i = 0; i < turn.Count; i++)
        {
            turn[i].Answer();
            GoOn(turn[i], isLast: i == turn.Count - 1);
        }

        turn.Clear();
        if (!answersBeside) EndCommit(isLast: true);
    }

    /// <param name="isLast">Nobody need be called: this thread is about to look for work itself.</param>
    private void EndCommit(bool isLast)
    {
        var checkpoint = writeAhead.TakeCheckpoint();
        lock (_gate)
        {
            _committing = false;
            if (_waiting.Count > 0 && !isLast) Call();
        }

        if (checkpoint is not null) PostAlone(checkpoint);
    }

    /// <param name="isLast">As above.</param>
    private void GoOn(Partition partition, bool isLast)
    {
        if (!partition.HasMore()) return;
        lock (_gate)
        {
            if (Enqueue(partition) && !isLast) Call();
        }
    }

    /// <summary>
    /// The partitions whose turn it is, or work of which each is done by itself; false when the thread is to end.
    /// </summary>
    private bool TryNext(List<Partition> turn, out IDiskWork? alone)
    {
        lock (_gate)
        {
            while (true)
            {
                alone = null;
                if (!_committing && TakeTurn(turn))
                {
                    if (_alone.Count > 0) Call();
                    return true;
                }

                if (_alone.TryDequeue(out alone)) return true;
                _idle++;
                var called = !_stopped && Monitor.Wait(_gate, IdleMax);
                _idle--;
                if (called || Jobs > 0) continue;
                _threads--;
                return false;
            }
        }
    }

    private bool TakeTurn(List<Partition> turn)
    {
        var (taken, sum) = (0, 0L);
        for (; taken < _waiting.Count && sum <= writeAhead.TurnBytesMax; taken++)
        {
            var (partition, bytes) = (_waiting[taken], _waiting[taken].WaitingBytes);
            if (bytes > writeAhead.BatchBytesMax)
            {
                // It grew while it waited.
                _alone.Enqueue(partition);
                Call();
                continue;
            }

            turn.Add(partition);
            sum += bytes;
        }

        _waiting.RemoveRange(0, taken);
        _committing = turn.Count > 0;
        return _committing;
    }
}
