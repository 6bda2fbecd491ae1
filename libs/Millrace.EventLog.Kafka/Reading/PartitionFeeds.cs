using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// What the readers of a partition in this process share: those that are at about the same place have one fetch among
/// them. One that begins elsewhere, or falls behind, has its own until it comes to where another is.
/// </summary>
internal sealed class PartitionFeeds(TopicPartition partition, Func<long, PartitionFetch> fetch, long keptBytesMax)
{
    private readonly Lock _gate = new();
    private volatile PartitionFeed[] _feeds = [];

    /// <summary>The feed that is at the reader's place, or a new one.</summary>
    public PartitionFeed Join(KafkaPartitionReader reader)
    {
        lock (_gate)
        {
            if (Array.Find(_feeds, feed => feed.TryAdd(reader)) is { } there) return there;
            var feed = new PartitionFeed(partition, fetch(reader.Position), keptBytesMax);
            feed.TryAdd(reader);
            Set([.. _feeds, feed]);
            return feed;
        }
    }

    /// <summary>
    /// The feed that the reader goes on with: another that is at its place too, and further ahead. Of two that are
    /// level it is the first, so that all come together.
    /// </summary>
    public PartitionFeed Meet(KafkaPartitionReader reader, PartitionFeed own)
    {
        if (_feeds.Length < 2) return own;
        PartitionFeed? other;
        lock (_gate)
        {
            var (rank, next) = (Array.IndexOf(_feeds, own), own.Next);
            other = _feeds.Where((feed, at) => at != rank && (feed.Next > next || (feed.Next == next && at < rank)))
                .OrderByDescending(feed => feed.Next).FirstOrDefault(feed => feed.TryAddNear(reader));
        }

        if (other is null) return own;
        Leave(reader, own);
        return other;
    }

    /// <summary>The last one that leaves ends the feed.</summary>
    public void Leave(KafkaPartitionReader reader, PartitionFeed feed)
    {
        lock (_gate)
        {
            if (!feed.Remove(reader)) return;
            Set([.. _feeds.Where(one => one != feed)]);
        }

        feed.Dispose();
    }

    private void Set(PartitionFeed[] feeds)
    {
        _feeds = feeds;
        foreach (var feed in feeds) feed.HasNeighbours = feeds.Length > 1;
    }
}
