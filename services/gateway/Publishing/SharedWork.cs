namespace Millrace.Gateway.Publishing;

/// <summary>Work of several pieces, each of which may be done by another thread.</summary>
internal interface IPieces
{
    /// <summary>Where it throws, it does so to whoever does the piece; others go on.</summary>
    void Do(int piece);
}

/// <summary>
/// Work that a thread has, with which those help who are awake: event loops, at the end of a turn. Nobody is woken for
/// it, which would cost more than it saves. One thread's work is shared at a time; others do theirs alone meanwhile.
/// </summary>
internal sealed class SharedWork
{
    /// <summary>Fewer are done before anybody comes.</summary>
    private const int PiecesMin = 4;

    /// <summary>What one who helps does at a time: there are sockets to look at.</summary>
    private const int PiecesATurn = 2;

    /// <summary>More than there are pieces of any work.</summary>
    private const int Shut = 1 << 30;

    private IPieces? _work;
    private int _count;
    private int _next = Shut;
    private int _helpers;
    private int _isTaken;

    /// <summary>Does all pieces, each once. None is under way any more when this returns.</summary>
    public void Run(IPieces work, int count)
    {
        if (count < PiecesMin || Interlocked.Exchange(ref _isTaken, 1) == 1)
        {
            for (var piece = 0; piece < count; piece++) work.Do(piece);
            return;
        }

        (_work, _count) = (work, count);
        Volatile.Write(ref _next, 0);
        try
        {
            DoPieces(count);
        }
        finally
        {
            Interlocked.Exchange(ref _next, Shut);
            var wait = new SpinWait();
            while (Volatile.Read(ref _helpers) > 0) wait.SpinOnce(sleep1Threshold: -1);
            Volatile.Write(ref _isTaken, 0);
        }
    }

    /// <summary>Does some of what another thread has to do, if one has.</summary>
    public void Help()
    {
        if (Volatile.Read(ref _next) >= Volatile.Read(ref _count)) return;

        // Whoever has the work sees this before a piece is taken, and waits until that is done.
        Interlocked.Increment(ref _helpers);
        try
        {
            DoPieces(PiecesATurn);
        }
        finally
        {
            Interlocked.Decrement(ref _helpers);
        }
    }

    private void DoPieces(int most)
    {
        for (; most > 0; most--)
        {
            var piece = Interlocked.Increment(ref _next) - 1;
            if (piece >= _count) return;
            _work!.Do(piece);
        }
    }
}
