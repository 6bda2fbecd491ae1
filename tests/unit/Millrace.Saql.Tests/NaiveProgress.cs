using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>How far a query has come: what was read, and what of it waits no more.</summary>
/// <param name="read">Of each source the first offset that was not read.</param>
/// <param name="limit">No source can give an earlier row.</param>
/// <param name="rooms">The same of rooms that have timelines of their own.</param>
internal sealed class NaiveProgress(
    IReadOnlyDictionary<TopicPartition, long> read, (long At, TopicPartition Source) limit,
    IReadOnlyDictionary<int, long> rooms)
{
    private readonly Dictionary<TopicPartition, long> _read = new(read);

    public bool HasTaken(long at, NaiveEvent e) =>
        e.Offset < _read[e.Source] && (at, e.Source).CompareTo((LimitOf(e.Room), limit.Source)) <= 0;

    /// <summary>Time has passed it.</summary>
    public bool HasClosed(long end, int room) => end < LimitOf(room);

    private long LimitOf(int room) => Math.Max(limit.At, rooms.GetValueOrDefault(room, long.MinValue));
}
