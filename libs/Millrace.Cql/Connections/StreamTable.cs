namespace Millrace.Cql.Connections;

/// <summary>What the answer on a stream is for.</summary>
internal enum StreamOwner
{
    /// <summary>Nothing was sent on that stream: the server has made it up.</summary>
    None,

    /// <summary>Somebody who has given up waiting.</summary>
    Orphan,
    Handler,
}

/// <summary>
/// Who waits on which stream of a connection. An orphaned stream (nobody waits, and the server may still answer) is
/// not used again until the answer came. Not thread-safe: the connection's lock guards it.
/// </summary>
internal sealed class StreamTable(int streamsMax)
{
    private const int FirstSize = 128;

    private Slot[] _slots = new Slot[Math.Min(FirstSize, streamsMax)];
    private short[] _free = new short[Math.Min(FirstSize, streamsMax)];
    private int _freeCount;

    // Streams from here on were never used.
    private int _unused;

    private enum Use : byte
    {
        Free,
        Waiting,
        Orphan,
    }

    /// <summary>Streams in use, orphans included.</summary>
    public int Count => _unused - _freeCount;

    public int Orphans { get; private set; }

    public bool TryTake(IResponseHandler handler, long deadline, out short stream)
    {
        stream = 0;
        if (_freeCount > 0) stream = _free[--_freeCount];
        else if (_unused < streamsMax) stream = (short)_unused++;
        else return false;
        if (stream >= _slots.Length) Grow();
        _slots[stream] = new Slot(Use.Waiting, handler, deadline);
        return true;
    }

    /// <summary>The answer on this stream came; the stream is free again.</summary>
    public StreamOwner Complete(int stream, out IResponseHandler? handler)
    {
        handler = null;
        if ((uint)stream >= (uint)_unused || _slots[stream].Use == Use.Free) return StreamOwner.None;
        var slot = _slots[stream];
        _slots[stream] = default;
        _free[_freeCount++] = (short)stream;
        if (slot.Use == Use.Orphan)
        {
            Orphans--;
            return StreamOwner.Orphan;
        }

        handler = slot.Handler;
        return StreamOwner.Handler;
    }

    /// <summary>Makes an orphan of the stream if <paramref name="handler"/> still waits on it.</summary>
    public bool Abandon(int stream, IResponseHandler handler)
    {
        if ((uint)stream >= (uint)_unused || !ReferenceEquals(_slots[stream].Handler, handler)) return false;
        _slots[stream] = new Slot(Use.Orphan, null, 0);
        Orphans++;
        return true;
    }

    /// <summary>Makes orphans of all whose deadline has passed.</summary>
    public void AbandonExpired(long now, List<IResponseHandler> expired)
    {
        for (var stream = 0; stream < _unused; stream++)
        {
            ref var slot = ref _slots[stream];
            if (slot.Handler is not { } handler || slot.Deadline > now) continue;
            expired.Add(handler);
            slot = new Slot(Use.Orphan, null, 0);
            Orphans++;
        }
    }

    /// <summary>All who wait, when the connection is lost. Nothing is in use after this.</summary>
    public List<IResponseHandler> TakeAll()
    {
        var all = _slots.Take(_unused).Select(slot => slot.Handler).OfType<IResponseHandler>().ToList();
        (_unused, _freeCount, Orphans) = (0, 0, 0);
        Array.Clear(_slots);
        return all;
    }

    private void Grow()
    {
        var size = Math.Min(streamsMax, _slots.Length * 2);
        Array.Resize(ref _slots, size);
        Array.Resize(ref _free, size);
    }

    private readonly record struct Slot(Use Use, IResponseHandler? Handler, long Deadline);
}
