using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.Delta;

/// <summary>
/// A table by the public Delta protocol (reader 1, writer 2) in an object store. Safe for many threads; many processes
/// may write the same table.
/// </summary>
public sealed partial class DeltaTable : IDisposable
{
    private readonly IObjectStore _store;
    private readonly TableLog _log;
    private readonly TimeProvider _time;
    private readonly DeltaTableOptions _options;
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private DeltaSnapshot? _snapshot;

    /// <param name="root">The key below which everything of the table lies, without a slash at its end.</param>
    public DeltaTable(IObjectStore store, string root, TimeProvider time, DeltaTableOptions? options = null)
    {
        Root = ObjectKey.Check(root);
        _store = store;
        _log = new TableLog(store, root);
        _time = time;
        _options = options ?? new DeltaTableOptions();
    }

    public string Root { get; }

    /// <summary>The object that holds the file.</summary>
    public string KeyOf(AddFile file) => KeyOf(file.Path);

    /// <summary>The object that holds the file of that path, as the log writes it.</summary>
    public string KeyOf(string path) => $"{Root}/{Uri.UnescapeDataString(path)}";

    /// <summary>
    /// The table as it is now, or null when there is none. Reads only the entries that came since the last time.
    /// Errors DL-0001, DL-0002, DL-0003.
    /// </summary>
    public async ValueTask<DeltaSnapshot?> RefreshAsync(CancellationToken ct = default)
    {
        await _refreshing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var readAt = _time.GetUtcNow();
            if (_snapshot is not null && readAt - _snapshot.ReadAt > _options.VacuumSafeAge / 2) _snapshot = null;
            var builder = _snapshot is null
                ? await _log.OpenAsync(long.MaxValue, ct).ConfigureAwait(false)
                : new SnapshotBuilder(_snapshot);
            if (builder is null) return null;
            while (await _log.ReadAsync(builder.Version + 1, ct).ConfigureAwait(false) is { } actions)
                builder.Apply(actions, _log.KeyOf(builder.Version + 1));

            return _snapshot = builder.Build(readAt);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>
    /// Makes the table when there is none, and adds the columns that it lacks (they are null in what was written
    /// before). Columns that are there and not asked for stay. DL-0004 when a column has another type.
    /// </summary>
    public async ValueTask<DeltaSnapshot> EnsureAsync(
        DeltaSchema schema, IReadOnlyList<string> partitionColumns, CancellationToken ct = default)
    {
        while (true)
        {
            var snapshot = await RefreshAsync(ct).ConfigureAwait(false);
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            var actions = new List<DeltaAction>();
            if (snapshot is null)
            {
                actions.Add(new CommitInfo(Guid.NewGuid().ToString(), now, "CREATE TABLE", IsBlindAppend: true));
                actions.Add(new Protocol(SnapshotBuilder.ReaderVersion, SnapshotBuilder.WriterVersion));
                actions.Add(new Metadata(Guid.NewGuid().ToString(), schema, partitionColumns, now));
            }
            else
            {
                if (Widened(snapshot.Metadata, schema, partitionColumns) is not { } metadata) return snapshot;
                actions.Add(new CommitInfo(Guid.NewGuid().ToString(), now, "ADD COLUMNS", IsBlindAppend: false));
                actions.Add(metadata);
            }

            // Whether we wrote it or another did: the table is as it now reads.
            await _log.TryWriteAsync((snapshot?.Version ?? -1) + 1, ActionWriter.Write(actions), ct)
                .ConfigureAwait(false);
        }
    }

    public void Dispose() => _refreshing.Dispose();

    /// <summary>Null when nothing is to change.</summary>
    private Metadata? Widened(Metadata metadata, DeltaSchema wanted, IReadOnlyList<string> partitionColumns)
    {
        if (!metadata.PartitionColumns.SequenceEqual(partitionColumns))
        {
            throw DeltaErrors.SchemaConflict.With(
                Root, $"It is partitioned by {string.Join(", ", metadata.PartitionColumns)}.").AsException();
        }

        var added = new List<DeltaColumn>();
        foreach (var column in wanted.Columns)
        {
            var present = metadata.Schema.Find(column.Name);
            if (present is null) added.Add(column with { Nullable = true });
            else if (present.Type != column.Type)
                throw DeltaErrors.SchemaConflict.With(column.Name, $"It is {present.Type}.").AsException();
        }

        return added.Count == 0
            ? null
            : metadata with { Schema = new DeltaSchema([.. metadata.Schema.Columns, .. added]) };
    }
}
