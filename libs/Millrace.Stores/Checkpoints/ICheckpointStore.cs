using Millrace.Contracts;

namespace Millrace.Stores.Checkpoints;

/// <summary>
/// State and positions of queries, moved together. Whoever raises the epoch of a key owns it; what an older owner
/// tries to save is refused.
/// </summary>
public interface ICheckpointStore
{
    /// <summary>Makes the caller the owner: raises the key's epoch by compare-and-set; returns the new one.</summary>
    ValueTask<long> RaiseEpochAsync(CheckpointKey key, CancellationToken ct = default);

    ValueTask<Checkpoint?> FindAsync(CheckpointKey key, CancellationToken ct = default);

    /// <summary>False, and nothing is changed, when the key's epoch is above <paramref name="epoch"/>.</summary>
    ValueTask<bool> SaveAsync(
        CheckpointKey key, long epoch, Checkpoint checkpoint, CancellationToken ct = default);

    /// <summary>
    /// Keeps a decision that only a clock or an outside event could make, durably, before any row depends on it.
    /// False when the epoch is stale. Marks of an input partition below a saved checkpoint's offset are let go; one
    /// that <see cref="TimeMark.Replaces"/> the input's last takes its place, with the later time of the two.
    /// </summary>
    ValueTask<bool> AddMarkAsync(CheckpointKey key, long epoch, TimeMark mark, CancellationToken ct = default);

    /// <summary>
    /// Keeps that a dead letter is taken as late input, durably, before any row depends on it; each letter once. The
    /// input's late letters are numbered from 1.
    /// </summary>
    ValueTask<LateOutcome> AddLateAsync(
        CheckpointKey key, long epoch, TopicPartition input, long offset, DeadLetter letter,
        CancellationToken ct = default);

    /// <summary>The letter failed again: it keeps its number, but may be added once more.</summary>
    ValueTask RefuseLateAsync(CheckpointKey key, string letterId, CancellationToken ct = default);

    /// <summary>
    /// The marks not yet covered by the checkpoint, in the order in which they were added. Those at a saved offset are
    /// still among them.
    /// </summary>
    ValueTask<IReadOnlyList<InputMark>> MarksAsync(CheckpointKey key, CancellationToken ct = default);

    /// <summary>Removes a query version's checkpoints and marks; an owner still at work becomes stale.</summary>
    ValueTask DeleteAsync(string query, int version, CancellationToken ct = default);
}

/// <param name="Partition">
/// The log partition, or -1 for a query that is answered over all partitions at once. Places of a second stage are
/// counted on behind the log's partitions.
/// </param>
public readonly record struct CheckpointKey(string Query, int Version, int Partition);

/// <summary>State = everything before these offsets, and nothing after.</summary>
public sealed record Checkpoint(
    IReadOnlyList<PartitionOffset> Inputs, IReadOnlyList<PartitionOffset> Outputs, byte[] State,
    DateTimeOffset SavedAt)
{
    /// <summary>Of the owner that saved it; the store keeps it. Its fences stand before the outputs' offsets.</summary>
    public long Epoch { get; init; }
}

/// <summary>A decision that takes effect when an input partition has been read up to the offset.</summary>
public abstract record InputMark(TopicPartition Input, long Offset);

/// <summary>An input partition was idle: records at or after the offset arrive no earlier than the time.</summary>
/// <param name="ArrivalMs">Less than 0 in a mark of the other kind, see <see cref="LatestMs"/>.</param>
public sealed record TimeMark(TopicPartition Input, long Offset, long ArrivalMs) : InputMark(Input, Offset)
{
    /// <summary>
    /// Of a mark that is a limit: records at or after the offset with a later time were not believed. Else null.
    /// </summary>
    public long? LatestMs => ArrivalMs < 0 ? -ArrivalMs : null;

    /// <summary>
    /// Whether it says all that the input's last mark does: idle since then, and nothing came between the two that was
    /// judged by the earlier time.
    /// </summary>
    public bool Replaces(InputMark? last) => LatestMs is null && last is TimeMark { LatestMs: null }
        && (last.Input, last.Offset) == (Input, Offset);

    public static TimeMark Limit(TopicPartition input, long offset, long latestMs) => new(input, offset, -latestMs);
}

/// <summary>A dead letter came as late input.</summary>
/// <param name="Number">Counts the late letters of this input.</param>
/// <param name="Letter">Null when it failed again.</param>
public sealed record LateMark(TopicPartition Input, long Offset, int Number, DeadLetter? Letter)
    : InputMark(Input, Offset);

public enum LateOutcome
{
    Added,

    /// <summary>It was added before.</summary>
    Known,

    /// <summary>The epoch is stale.</summary>
    Stale,
}
