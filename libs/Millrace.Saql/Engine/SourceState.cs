using Millrace.Contracts;

namespace Millrace.Saql.Engine;

/// <summary>One source partition: how far it is read, and the marks that take effect at offsets to come.</summary>
internal sealed class SourceState(TopicPartition partition, int rank, long startOffset)
{
    private readonly List<(long Offset, long Arrival)> _marks = [];

    public TopicPartition Partition => partition;

    public int Rank => rank;

    public long Position { get; private set; } = startOffset;

    /// <summary>What reads this source: one for each input that it belongs to.</summary>
    public List<InputState> Inputs { get; } = [];

    public IReadOnlyList<FeedState> Feeds { get; set; } = [];

    public void Mark(long offset, long arrival)
    {
        if (offset <= Position) Apply(arrival);
        else
        {
            var at = _marks.FindIndex(mark => mark.Offset > offset);
            _marks.Insert(at < 0 ? _marks.Count : at, (offset, arrival));
        }
    }

    public void MoveTo(long offset)
    {
        Position = Math.Max(Position, offset);
        while (_marks.Count > 0 && _marks[0].Offset <= Position)
        {
            Apply(_marks[0].Arrival);
            _marks.RemoveAt(0);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Position);
        writer.Write(_marks.Count);
        foreach (var (offset, arrival) in _marks)
        {
            writer.Write(offset);
            writer.Write(arrival);
        }
    }

    public void Restore(ref StateReader reader)
    {
        Position = reader.ReadInt64();
        _marks.Clear();
        for (var left = reader.ReadCount(); left > 0; left--) _marks.Add((reader.ReadInt64(), reader.ReadInt64()));
    }

    private void Apply(long arrival)
    {
        foreach (var feed in Feeds) feed.Mark(arrival);
    }
}
