using System.Collections.Immutable;

namespace Millrace.Delta.Log;

/// <summary>Plays a checkpoint and entries onto a snapshot, or onto nothing.</summary>
internal sealed class SnapshotBuilder(DeltaSnapshot? start)
{
    /// <summary>What we can read and write of the protocol.</summary>
    public const int ReaderVersion = 1;
    public const int WriterVersion = 2;

    private readonly ImmutableDictionary<string, AddFile>.Builder _files =
        (start?.Files ?? ImmutableDictionary<string, AddFile>.Empty).ToBuilder();

    private readonly ImmutableDictionary<string, SetTransaction>.Builder _transactions =
        (start?.Transactions ?? ImmutableDictionary<string, SetTransaction>.Empty).ToBuilder();

    private readonly ImmutableDictionary<string, RemoveFile>.Builder _removed =
        (start?.Removed ?? ImmutableDictionary<string, RemoveFile>.Empty).ToBuilder();

    private Metadata? _metadata = start?.Metadata;

    public long Version { get; private set; } = start?.Version ?? -1;

    /// <summary>Takes the state that a checkpoint has; nothing may have been applied before.</summary>
    public void Load(IEnumerable<DeltaAction> checkpoint, long version, string key)
    {
        Apply(checkpoint, key);
        Version = version;
    }

    /// <summary>Applies the next entry. DL-0003 when it asks for more than we know.</summary>
    public void Apply(IEnumerable<DeltaAction> actions, string key)
    {
        foreach (var action in actions)
        {
            switch (action)
            {
                case AddFile add:
                    _files[add.Path] = add;
                    _removed.Remove(add.Path);
                    break;
                case RemoveFile remove:
                    _files.Remove(remove.Path);
                    _removed[remove.Path] = remove;
                    break;
                case SetTransaction transaction: _transactions[transaction.AppId] = transaction; break;
                case Metadata metadata: _metadata = metadata; break;
                case Protocol { MinReaderVersion: > ReaderVersion }:
                case Protocol { MinWriterVersion: > WriterVersion }:
                    throw DeltaErrors.Unsupported.With(key, action.ToString()).AsException();
            }
        }

        Version++;
    }

    public DeltaSnapshot Build(DateTimeOffset readAt) => new()
    {
        Version = Version,
        ReadAt = readAt,
        Metadata = _metadata ?? throw DeltaErrors.EntryDamaged.With(Version, "No metaData action.").AsException(),
        Files = _files.ToImmutable(),
        Transactions = _transactions.ToImmutable(),
        Removed = _removed.ToImmutable(),
    };
}
