namespace Millrace.Saql.Engine;

/// <summary>A row that was read, and waits for the other sources to have arrived as far.</summary>
/// <param name="Arrival">Of its source when it was read.</param>
internal readonly record struct ArrivedRow(long Arrival, Substream Substream, WaitingRow Row);

/// <summary>Rows of one source in the order in which they were read.</summary>
/// <param name="feeds">Those that read the source.</param>
/// <param name="chunks">Where the rows' bytes lie.</param>
internal sealed class ArrivalQueue(int source, FeedState[] feeds, RowChunks chunks)
{
    private const int RowBytes = 80;

    private ArrivedRow[] _rows = new ArrivedRow[16];
    private int _first;

    /// <summary>The rank of the source among the engine's.</summary>
    public int Source => source;

    public int Count { get; private set; }

    public long StateBytes { get; private set; }

    public ref readonly ArrivedRow First => ref _rows[_first];

    /// <summary>Nothing arrives before this any more, at any of the feeds.</summary>
    public long Arrival
    {
        get
        {
            var arrival = long.MaxValue;
            foreach (var feed in feeds) arrival = Math.Min(arrival, feed.Arrival);
            return arrival;
        }
    }

    public void Push(in ArrivedRow row)
    {
        if (Count == _rows.Length)
        {
            var more = new ArrivedRow[Count * 2];
            for (var i = 0; i < Count; i++) more[i] = At(i);
            (_rows, _first) = (more, 0);
        }

        _rows[(_first + Count++) & (_rows.Length - 1)] = row;
        StateBytes += row.Row.Length + RowBytes;
        row.Substream.Lane!.Arriving++;
    }

    public ArrivedRow Pop()
    {
        var row = _rows[_first];
        _rows[_first] = default;
        _first = (_first + 1) & (_rows.Length - 1);
        Count--;
        StateBytes -= row.Row.Length + RowBytes;
        row.Substream.Lane!.Arriving--;
        return row;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        for (var i = 0; i < Count; i++)
        {
            ref readonly var row = ref At(i);
            writer.Write(row.Arrival);
            writer.Write(row.Substream.Key);
            RowHeap.Save(writer, row.Row);
        }
    }

    /// <param name="find">The substream of a key and a feed, which has a lane.</param>
    public void Restore(
        ref StateReader reader, int sources, int allFeeds, Func<byte[], int, Substream?> find)
    {
        Array.Clear(_rows);
        (_first, Count, StateBytes) = (0, 0, 0);
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var arrival = reader.ReadInt64();
            var key = reader.ReadBytes().ToArray();
            var row = RowHeap.Restore(ref reader, chunks, sources, allFeeds);
            if (row.Source != source || find(key, row.Feed) is not { } substream) throw reader.Damaged();
            Push(new ArrivedRow(arrival, substream, row));
        }
    }

    private ref readonly ArrivedRow At(int index) => ref _rows[(_first + index) & (_rows.Length - 1)];
}
