using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Delta;
using Millrace.ObjectStore;

namespace Millrace.Archiver;

/// <summary>
/// The tables of the archive: that of telemetry, and one for each query output that ever was; beside them those of
/// jobs' results.
/// </summary>
internal sealed class ArchiveTables(
    IObjectStore store, IOptions<DeltaTableOptions> options, ArchiverMetrics metrics, TimeProvider time,
    ILogger<ArchiveTable> logger) : IDisposable
{
    private readonly ConcurrentDictionary<string, ArchiveTable> _tables = new();
    private readonly ConcurrentDictionary<string, DeltaTable> _jobs = new();

    public ArchiveTable Telemetry => At(TelemetryTable.Root);

    public ArchiveTable Output(string output) => At(OutputTable.RootOf(output));

    /// <summary>The table that statements name so; null: telemetry's. AR-0009 when there is none.</summary>
    public async ValueTask<ArchiveTable> NamedAsync(string? name, CancellationToken ct)
    {
        if (name is null || name == TelemetryTable.Root) return Telemetry;
        if (OutputTable.IsName(name) && (await OutputsAsync(ct).ConfigureAwait(false))
            .FirstOrDefault(table => table.Name == name.ToLowerInvariant()) is { } found) return found;
        throw ArchiverErrors.RequestInvalid.With(name, "The archive has no table of that name.").AsException();
    }

    /// <summary>All that the store has, telemetry first.</summary>
    public async ValueTask<IReadOnlyList<ArchiveTable>> AllAsync(CancellationToken ct) =>
        [Telemetry, .. await OutputsAsync(ct).ConfigureAwait(false)];

    public async ValueTask<IReadOnlyList<ArchiveTable>> OutputsAsync(CancellationToken ct) =>
        [.. (await RootsAsync(OutputTable.RootPrefix, ct).ConfigureAwait(false)).Select(At)];

    /// <summary>The results of jobs, which others write and keep; an erasure reaches them too.</summary>
    public async ValueTask<IReadOnlyList<DeltaTable>> JobsAsync(CancellationToken ct) =>
    [
        .. (await RootsAsync(JobTable.RootPrefix, ct).ConfigureAwait(false)).Select(root =>
            _jobs.GetOrAdd(root, _ => new DeltaTable(store, root, time, options.Value))),
    ];

    public void Dispose()
    {
        foreach (var table in _tables.Values) table.Dispose();
        foreach (var table in _jobs.Values) table.Dispose();
    }

    private ArchiveTable At(string root) => _tables.GetOrAdd(root, _ =>
        new ArchiveTable(new DeltaTable(store, root, time, options.Value), metrics, logger));

    /// <summary>The folders right below the prefix.</summary>
    private async ValueTask<IReadOnlyList<string>> RootsAsync(string prefix, CancellationToken ct)
    {
        var found = new List<string>();
        for (string? after = null; await FirstAsync(prefix, after, ct).ConfigureAwait(false) is { } key;)
        {
            var end = key.IndexOf('/', prefix.Length);
            if (end < 0)
            {
                after = key;
                continue;
            }

            // The rest of this table's objects is not looked at: '0' follows '/'.
            found.Add(key[..end]);
            after = key[..end] + "0";
        }

        return found;
    }

    private async ValueTask<string?> FirstAsync(string prefix, string? after, CancellationToken ct)
    {
        await foreach (var info in store.ListAsync(prefix, after, ct).ConfigureAwait(false)) return info.Key;
        return null;
    }
}
