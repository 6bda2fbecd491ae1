using Millrace.Contracts;

namespace Millrace.Stores.DeadLetters;

public enum DeadLetterState
{
    /// <summary>Waits for somebody.</summary>
    Open,

    /// <summary>A replay was asked for.</summary>
    Replaying,

    /// <summary>A replay succeeded.</summary>
    Replayed,
}

public sealed record StoredDeadLetter(
    string Id, DeadLetter Letter, DeadLetterState State, int Replays, DateTimeOffset UpdatedAt);

public interface IDeadLetterStore
{
    /// <summary>
    /// Upserts by id: a letter that is there keeps its first failure time and state unless that was Replaying, which
    /// becomes Open again by a later failure. What failed no later than the letter that is there changes nothing: the
    /// log is read again. The position moves with the rows.
    /// </summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<DeadLetter> letters, SinkPosition position,
        CancellationToken ct = default);

    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    ValueTask<StoredDeadLetter?> FindAsync(string id, CancellationToken ct = default);

    /// <summary>
    /// False when there is none of that id, or a replay is asked for of one that is not open (any more): of all who ask
    /// at once, one does.
    /// </summary>
    ValueTask<bool> SetStateAsync(string id, DeadLetterState state, CancellationToken ct = default);

    /// <summary>
    /// Newest failure first. A page may be shorter than the limit, or empty, and have a token still:
    /// <see cref="DeadLetterFilter.LookedAtMax"/>.
    /// </summary>
    ValueTask<Page<StoredDeadLetter>> ListAsync(DeadLetterFilter filter, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);
}

public sealed record DeadLetterFilter(
    string? Stage = null, string? Query = null, DeadLetterState? State = null, int Limit = 100,
    string? Continuation = null)
{
    /// <summary>
    /// How many letters one page looks at: those that are to be replayed when these are asked for, else all. It ends
    /// there, with a token, whatever it has found: so a search for what is rare among millions is answered in steps.
    /// </summary>
    public int LookedAtMax { get; init; } = int.MaxValue;

    internal bool Matches(string stage, string? query) => (Stage ?? stage) == stage && (Query ?? query) == query;

    internal bool Matches(DeadLetterState state) => (State ?? state) == state;
}
