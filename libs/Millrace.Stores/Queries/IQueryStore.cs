namespace Millrace.Stores.Queries;

public enum QueryState
{
    Running,
    Paused,

    /// <summary>Stopped by an error that a person must look at.</summary>
    Failed,
}

/// <summary>A stream query as its author applied it.</summary>
public sealed record QueryConfig
{
    public required string Name { get; init; }

    /// <summary>Counts up with each change of text or options; 1 at first.</summary>
    public required int Version { get; init; }
    public required string Text { get; init; }
    public QueryState State { get; init; } = QueryState.Running;
    public QueryOptions Options { get; init; } = new();

    /// <summary>The names after INTO, for those who do not compile the text.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>
    /// Where the query begins, made durable when it is first started: next offsets by "topic/partition".
    /// </summary>
    public IReadOnlyDictionary<string, long> StartOffsets { get; init; } = new Dictionary<string, long>();
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

public enum EventOrderPolicy
{
    Adjust,
    Drop,
}

public enum RowErrorPolicy
{
    /// <summary>The row goes to dead letters and the query goes on.</summary>
    Drop,

    /// <summary>The query stops.</summary>
    Stop,
}

public sealed record QueryOptions
{
    public TimeSpan LateTolerance { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan OutOfOrderTolerance { get; init; } = TimeSpan.Zero;
    public EventOrderPolicy Policy { get; init; } = EventOrderPolicy.Adjust;
    public RowErrorPolicy OnError { get; init; } = RowErrorPolicy.Drop;

    /// <summary>Keep output rows in the warm store, where the API finds them. Alerts are always kept.</summary>
    public bool WarmOutputs { get; init; } = true;

    /// <summary>Keep output rows in the archive, each output as a table of its own. Alerts never are.</summary>
    public bool ArchiveOutputs { get; init; }

    /// <summary>How many bytes it may keep at one place; null: as many as the process allows any query.</summary>
    public long? StateBytesMax { get; init; }

    /// <summary>
    /// Where to begin: "now", "earliest", "last" (where the version before stands), "state" (there, with what it
    /// keeps), or an ISO 8601 time.
    /// </summary>
    public string StartFrom { get; init; } = "now";
}

public interface IQueryStore
{
    /// <summary>
    /// Creates or replaces by name when the stored version is <paramref name="expectedVersion"/> (0: none is there).
    /// </summary>
    ValueTask<bool> SaveAsync(QueryConfig query, int expectedVersion, CancellationToken ct = default);

    /// <summary>
    /// The highest version that a query of this name ever had, deleted ones too; 0 when there was none. A version is
    /// part of its rows' identity, so none is given twice.
    /// </summary>
    ValueTask<int> LastVersionAsync(string name, CancellationToken ct = default);

    /// <summary>Changes the state alone; false when there is no such query.</summary>
    /// <param name="onlyVersion">The version that is meant: another one stays as it is. Null for any.</param>
    ValueTask<bool> SetStateAsync(
        string name, QueryState state, int? onlyVersion = null, CancellationToken ct = default);

    /// <summary>
    /// Keeps where this version begins, the first time only, and returns what is kept: a later caller gets the first
    /// one's answer.
    /// </summary>
    ValueTask<IReadOnlyDictionary<string, long>> FixStartAsync(
        string name, int version, IReadOnlyDictionary<string, long> offsets, CancellationToken ct = default);

    ValueTask<QueryConfig?> FindAsync(string name, CancellationToken ct = default);

    ValueTask<IReadOnlyList<QueryConfig>> ListAsync(CancellationToken ct = default);

    /// <summary>
    /// Deletes the query with its status, and where it and those before it began; false when it is of another version,
    /// or gone. Nothing is taken of a version that is applied meanwhile but its status, which it says again.
    /// </summary>
    ValueTask<bool> DeleteAsync(string name, int version, CancellationToken ct = default);

    /// <summary>Replaces what the status's node said before.</summary>
    ValueTask WriteStatusAsync(QueryStatus status, CancellationToken ct = default);

    /// <summary>What the nodes that run it say together; null when none said anything.</summary>
    ValueTask<QueryStatus?> StatusAsync(string name, CancellationToken ct = default);
}
