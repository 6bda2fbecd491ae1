using Millrace.Contracts;

namespace Millrace.EventLog;

/// <summary>
/// The partitioned, ordered, durable log. Positions are offsets that count up by one within a partition; a record never
/// changes. Every adapter passes the same behaviour suite.
/// </summary>
public interface IEventLog : IAsyncDisposable
{
    /// <summary>
    /// Creates the topic when it is missing. A topic that exists with another number of partitions is an error
    /// (LOG-0003): the number is fixed when the hub is made.
    /// </summary>
    ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default);

    /// <summary>The topic, or null when there is none of that name.</summary>
    TopicInfo? FindTopic(string name);

    /// <summary>The names of all topics, in order.</summary>
    IReadOnlyList<string> Topics { get; }

    /// <summary>
    /// Appends the builder's records in order; completes when they are durable, with the offset of the first and the
    /// one after the last. They stand next to one another, unless another process writes to this partition at the same
    /// time: then its records may stand between them. The builder must not change until then. Waits while the log is
    /// over its limits (back-pressure). Fails with a <see cref="Primitives.MillraceException"/>: with LOG-0011 when it
    /// is not known which of the records stand in the log, else when none does or will, for example LOG-0005 when the
    /// disk is full.
    /// </summary>
    ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default);

    /// <summary>
    /// The same for one who does not await: the owner is told, never within this call, and upon the thread that wrote
    /// where there is one; it must do little there and never block. What is refused at once is returned, and the owner
    /// hears nothing.
    /// </summary>
    Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        _ = AppendForOwner.RunAsync(this, partition, records, owner);
        return null;
    }

    /// <summary>The most bytes that a record may have, with key and headers; LOG-0008 refuses larger ones.</summary>
    long RecordBytesMax { get; }

    /// <summary>
    /// Whether records of the topic whose time is further ahead than <see cref="EventLogOptions.TimeAheadMax"/> are
    /// refused when they are appended, whoever does it.
    /// </summary>
    bool RefusesAhead(string topic) => false;

    /// <summary>
    /// How long the oldest append that has no answer yet waits for it; zero where they never wait for others.
    /// </summary>
    TimeSpan OldestAppend => TimeSpan.Zero;

    /// <summary>A reader that starts at <paramref name="offset"/>, for one caller at a time.</summary>
    IPartitionReader OpenReader(TopicPartition partition, long offset);

    /// <summary>First offset kept and next offset to be written; only durable records count.</summary>
    ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default);

    /// <summary>
    /// The same, with what anyone had appended before this call, also a process that has died since and whose records
    /// readers could not see yet: waits until they can.
    /// </summary>
    ValueTask<OffsetRange> SettledRangeAsync(TopicPartition partition, CancellationToken ct = default) =>
        RangeAsync(partition, ct);

    /// <summary>
    /// The offset of the first record enqueued at or after the time; the next offset when there is none.
    /// </summary>
    ValueTask<long> OffsetAtAsync(TopicPartition partition, long timestampMs, CancellationToken ct = default);

    /// <summary>Keeps a group's next offset (and a little text of its own) durably.</summary>
    ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default);

    /// <summary>What the group committed last, or null.</summary>
    ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default);

    /// <summary>The names of all groups that have committed something, in order.</summary>
    ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default);

    /// <summary>The same with the topics that each has committed on, in order.</summary>
    ValueTask<IReadOnlyList<GroupTopic>> GroupTopicsAsync(CancellationToken ct = default);

    /// <summary>
    /// Lets go of all that the group has committed, on every topic: a consumer that is gone must not hold retention.
    /// </summary>
    ValueTask ForgetGroupAsync(string group, CancellationToken ct = default);

    /// <summary>The same on one topic, which the group no longer reads.</summary>
    ValueTask ForgetTopicAsync(string group, string topic, CancellationToken ct = default);

    /// <summary>
    /// Which partitions of the topic this process works on for the group, as they come and go. After a revocation the
    /// caller stops, and says so by <see cref="AssignmentChange.Complete"/>. When the token is cancelled, a log that
    /// other processes share first says that all are revoked, and gives them to others when that is complete.
    /// </summary>
    IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(string group, string topic, CancellationToken ct = default);

    /// <summary>
    /// Lets go of records below the offset (of as many as the storage can free), and returns the first offset kept.
    /// </summary>
    ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default);
}

/// <summary>Reads one partition forward. Sees durable records only.</summary>
public interface IPartitionReader : IAsyncDisposable
{
    /// <summary>The offset of the record that is read next.</summary>
    long Position { get; }

    /// <summary>
    /// The next records, at least one, and as many more as are there and fit <paramref name="bytesMax"/>. Waits
    /// (without polling) until there is one. Where offsets hold no record, as those of transactions of others do, a
    /// batch begins behind the end of the one before; and when nothing else follows them, one without records says
    /// where they end. LOG-0004 when the position was trimmed away; LOG-0002 when stored bytes are damaged.
    /// </summary>
    ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default);

    /// <summary>Like <see cref="ReadAsync"/>, but gives null at once when nothing is there.</summary>
    ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default);

    void Seek(long offset);
}

/// <param name="Partitions">How many; fixed for good once the topic is made.</param>
public sealed record TopicSpec(string Name, int Partitions);

public sealed record TopicInfo(string Name, int Partitions);

/// <param name="First">The first offset of the records meant: of those still kept, or of those of an append.</param>
/// <param name="Next">The offset after the last of them.</param>
public readonly record struct OffsetRange(long First, long Next);

public sealed record CommittedOffset(long NextOffset, string? Metadata);
