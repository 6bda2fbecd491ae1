using Millrace.ObjectStore;

namespace Millrace.Delta;

public sealed partial class DeltaTable
{
    /// <summary>
    /// Deletes objects below the table that are no part of it and that nobody may need: removed longer ago than the
    /// safe age, or never committed and older than it. The safe age is what keeps readers of an older version, and
    /// writers that have not committed yet, from losing files; see <see cref="DeltaTableOptions.VacuumSafeAge"/>.
    /// </summary>
    /// <param name="dryRun">Only looks.</param>
    public async ValueTask<DeltaVacuum> VacuumAsync(bool dryRun, CancellationToken ct = default)
    {
        var oldest = _time.GetUtcNow() - _options.VacuumSafeAge;
        var candidates = (await DataObjectsAsync(ct).ConfigureAwait(false)).FindAll(info => info.ModifiedAt < oldest);

        // The table is read after the files were listed: what was committed meanwhile is then seen to be part of it.
        if (candidates.Count == 0 || await RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot)
            return new DeltaVacuum(0, 0, 0);
        var parts = snapshot.Files.Values.Select(KeyOf).ToHashSet();
        var needed = snapshot.Removed.Values.Where(file => file.DeletionTimestampMs >= oldest.ToUnixTimeMilliseconds())
            .Select(file => KeyOf(file.Path)).ToHashSet();
        var unneeded = candidates.Where(info => !parts.Contains(info.Key) && !needed.Contains(info.Key)).ToList();
        if (!dryRun && unneeded.Count > 0) await DeleteAsync(unneeded, ct).ConfigureAwait(false);
        return new DeltaVacuum(unneeded.Count, unneeded.Sum(info => info.Bytes), needed.Count);
    }

    /// <summary>
    /// Objects below the table that are no part of its newest version, whether they were once or nobody committed them,
    /// and when vacuum may delete the last of them.
    /// </summary>
    public async ValueTask<DeltaLeftovers> LeftoversAsync(CancellationToken ct = default)
    {
        var objects = await DataObjectsAsync(ct).ConfigureAwait(false);
        if (objects.Count == 0 || await RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot)
            return new DeltaLeftovers(0, null);
        var parts = snapshot.Files.Values.Select(KeyOf).ToHashSet();
        var removed = snapshot.Removed.Values.ToDictionary(file => KeyOf(file.Path), file => file.DeletionTimestampMs);
        var (files, lastAt) = (0, DateTimeOffset.MinValue);
        foreach (var info in objects.Where(info => !parts.Contains(info.Key)))
        {
            files++;
            var removedAt = DateTimeOffset.FromUnixTimeMilliseconds(removed.GetValueOrDefault(info.Key));
            var unneededAt = removedAt > info.ModifiedAt ? removedAt : info.ModifiedAt;
            if (unneededAt > lastAt) lastAt = unneededAt;
        }

        return new DeltaLeftovers(files, files == 0 ? null : lastAt + _options.VacuumSafeAge);
    }

    private async ValueTask<List<ObjectInfo>> DataObjectsAsync(CancellationToken ct)
    {
        var found = new List<ObjectInfo>();
        await foreach (var info in _store.ListAsync(Root + "/", ct: ct).ConfigureAwait(false))
        {
            // The log, and what other tools keep beside it. Further down such a name is what a writer that died has
            // left: Spark writes below _temporary.
            if (!info.Key[(Root.Length + 1)..].StartsWith('_')) found.Add(info);
        }

        return found;
    }

    /// <summary>The table's log says that files go before the first is gone, and that they are when all are.</summary>
    private async ValueTask DeleteAsync(List<ObjectInfo> files, CancellationToken ct)
    {
        await RecordAsync("VACUUM START", new Dictionary<string, string>
        {
            ["specifiedRetentionMillis"] = Text((long)_options.VacuumSafeAge.TotalMilliseconds),
            ["numFilesToDelete"] = Text(files.Count),
            ["sizeOfDataToDelete"] = Text(files.Sum(info => info.Bytes)),
        }, ct).ConfigureAwait(false);
        foreach (var info in files) await _store.DeleteAsync(info.Key, ct).ConfigureAwait(false);
        await RecordAsync("VACUUM END", new Dictionary<string, string>
        {
            ["status"] = "COMPLETED",
            ["numDeletedFiles"] = Text(files.Count),
        }, ct).ConfigureAwait(false);
    }

    private async ValueTask RecordAsync(
        string operation, Dictionary<string, string> details, CancellationToken ct) =>
        await CommitAsync(new DeltaCommit
        {
            Id = Guid.NewGuid().ToString(),
            Operation = operation,
            Details = details,
            FilesWrittenAt = _time.GetUtcNow(),
        }, ct).ConfigureAwait(false);

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <param name="GoBy">When vacuum may delete the last of them; null when there are none.</param>
public readonly record struct DeltaLeftovers(int Files, DateTimeOffset? GoBy);

/// <param name="Files">Files that were deleted, or would be.</param>
/// <param name="Bytes">How large they were.</param>
/// <param name="Waiting">Removed files that are younger than the safe age.</param>
public readonly record struct DeltaVacuum(int Files, long Bytes, int Waiting);
