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
            var feed = Array.Find(_feeds, feed => feed.Has(reader.Position));
            if (feed is null)
            {
                feed = new PartitionFeed(partition, fetch(reader.Position), keptBytesMax);
                _feeds = [.. _feeds, feed];
            }

            feed.Add(reader);
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
            var rank = Array.IndexOf(_feeds, own);
            other = _feeds.Where((feed, at) => feed != own && feed.Has(reader.Position)
                && (feed.Next > own.Next || (feed.Next == own.Next && at < rank))).MaxBy(feed => feed.Next);
            other?.Add(reader);
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
            _feeds = [.. _feeds.Where(one => one != feed)];
        }

        feed.Dispose();
    }
}
