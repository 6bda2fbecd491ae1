using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>How far a query has come: what was read, and what of it waits no more.</summary>
/// <param name="hasArrived">It was read, and all sources have come as far.</param>
/// <param name="limitOf">
/// No earlier row can come, of any source or, where rooms have timelines of their own, of the room and partition.
/// </param>
internal sealed class NaiveProgress(
    Func<NaiveEvent, bool> hasArrived, Func<(int Room, int Partition), (long At, TopicPartition Source)> limitOf)
{
    public bool HasTaken(long at, NaiveEvent e) =>
        hasArrived(e) && (at, e.Source).CompareTo(limitOf((e.Room, e.Source.Partition))) <= 0;

    /// <summary>Time has passed it.</summary>
    public bool HasClosed(long end, int room, int partition = 0) => end < limitOf((room, partition)).At;
}
