using Millrace.Contracts;
using Millrace.Saql.Decoding;

namespace Millrace.Saql.Engine;

/// <summary>
/// One source partition: how far it is read, and the marks and late records that take effect at offsets to come.
/// </summary>
internal sealed class SourceState(
    TopicPartition partition, int rank, long startOffset, bool needsKey = false, bool isFile = false)
{
    private readonly List<Pending> _pending = [];
    private long _limitedAt;

    public TopicPartition Partition => partition;

    public int Rank => rank;

    public bool NeedsKey => needsKey;

    public bool IsFile => isFile;

    public long Position { get; private set; } = startOffset;

    /// <summary>Records with a later time fail; long.MaxValue without a limit, and not part of the state.</summary>
    public long LatestMs { get; private set; } = long.MaxValue;

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

    public void Mark(long offset, long arrival) => Add(new Pending(offset, arrival, null, false));

    public void Late(long offset, LateRecord record) => Add(new Pending(offset, 0, record, false));

    public void Limit(long offset, long latestMs) => Add(new Pending(offset, latestMs, null, true));

    public bool HasLimit => LatestMs != long.MaxValue || _pending.Exists(pending => pending.IsLimit);

    public long LimitAt(long offset)
    {
        var last = _pending.FindLast(pending => pending.IsLimit && pending.Offset <= offset);
        return last.IsLimit ? last.Time : LatestMs;
    }

    /// <summary>One that took effect at the position stays, as do those at offsets to come.</summary>
    public void LiftLimit()
    {
        if (_limitedAt < Position) LatestMs = long.MaxValue;
    }

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

    public SharedLease Share(SharedBodies bodies) =>
        new SharedLease([.. Inputs.Select(input => input.Share(this, bodies)).OfType<SharedReader>()]);

    public void Begin(RecordBatch batch)
    {
        foreach (var input in Inputs) input.Begin(this, batch);
    }

    public void End()
    {
        foreach (var input in Inputs) input.End();
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Position);
        writer.Write(LateTaken);
        // A late record that was not taken yet is not part of the state, nor is a limit.
        var marks = _pending.FindAll(pending => pending is { Late: null, IsLimit: false });
        writer.Write(marks.Count);
        foreach (var mark in marks)
        {
            writer.Write(mark.Offset);
            writer.Write(mark.Time);
        }

        foreach (var input in Inputs) input.Save(writer);
    }

    public void Restore(ref StateReader reader)
    {
        Position = reader.ReadInt64();
        LateTaken = reader.ReadInt32();
        _pending.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
            _pending.Add(new Pending(reader.ReadInt64(), reader.ReadInt64(), null, false));
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
        if (pending.IsLimit) (LatestMs, _limitedAt) = (pending.Time, pending.Offset);
        else if (pending.Late is { } late)
        {
            LateTaken++;
            foreach (var input in Inputs) input.ReadLate(this, late);
        }
        else
        {
            foreach (var feed in Feeds) feed.Mark(pending.Time);
        }
    }

    /// <param name="Time">Ticks of arrival, or milliseconds of a limit.</param>
    private readonly record struct Pending(long Offset, long Time, LateRecord? Late, bool IsLimit);
}
