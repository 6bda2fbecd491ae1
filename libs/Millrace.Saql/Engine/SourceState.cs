using Millrace.Contracts;

namespace Millrace.Saql.Engine;

/// <summary>
/// One source partition: how far it is read, and the marks and late records that take effect at offsets to come.
/// </summary>
internal sealed class SourceState(
    TopicPartition partition, int rank, long startOffset, bool needsKey = false)
{
    private readonly List<Pending> _pending = [];

    public TopicPartition Partition => partition;

    public int Rank => rank;

    public bool NeedsKey => needsKey;

    public long Position { get; private set; } = startOffset;

    /// <summary>What reads this source: one for each input that it belongs to.</summary>
    public List<RecordInput> Inputs { get; } = [];

    public IReadOnlyList<FeedState> Feeds { get; set; } = [];

    /// <summary>Rows that its records held, as read by each input; not part of the state.</summary>
    public long RowsIn { get; set; }

    /// <summary>Those that at least one reader took.</summary>
    public long RowsTaken { get; set; }

    /// <summary>How many late records were taken, whatever became of them.</summary>
    public int LateTaken { get; private set; }

    /// <summary>Those that were taken count no more; what became of them is part of the state all the same.</summary>
    public void ForgetLate() => LateTaken = 0;

    /// <summary>Whether a late record waits for its offset.</summary>
    public bool AwaitsLate => _pending.Exists(pending => pending.Late is not null);

    public void Mark(long offset, long arrival) => Add(new Pending(offset, arrival, null));

    public void Late(long offset, LateRecord record) => Add(new Pending(offset, 0, record));

    public void MoveTo(long offset)
    {
        Position = Math.Max(Position, offset);
        while (_pending.Count > 0 && _pending[0].Offset <= Position)
        {
            var next = _pending[0];
            _pending.RemoveAt(0);
            Apply(next);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Position);
        writer.Write(LateTaken);
        writer.Write(_pending.Count(pending => pending.Late is null));
        foreach (var (offset, arrival, late) in _pending)
        {
            // A late record that was not taken yet is not part of the state.
            if (late is not null) continue;
            writer.Write(offset);
            writer.Write(arrival);
        }

        foreach (var input in Inputs) input.Save(writer);
    }

    public void Restore(ref StateReader reader)
    {
        Position = reader.ReadInt64();
        LateTaken = reader.ReadInt32();
        _pending.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
            _pending.Add(new Pending(reader.ReadInt64(), reader.ReadInt64(), null));
        foreach (var input in Inputs) input.Restore(ref reader);
    }

    private void Add(Pending pending)
    {
        if (pending.Offset <= Position)
        {
            Apply(pending);
            return;
        }

        var at = _pending.FindIndex(other => other.Offset > pending.Offset);
        _pending.Insert(at < 0 ? _pending.Count : at, pending);
    }

    private void Apply(in Pending pending)
    {
        if (pending.Late is { } late)
        {
            LateTaken++;
            foreach (var input in Inputs) input.ReadLate(this, late);
        }
        else
        {
            foreach (var feed in Feeds) feed.Mark(pending.Arrival);
        }
    }

    private readonly record struct Pending(long Offset, long Arrival, LateRecord? Late);
}
