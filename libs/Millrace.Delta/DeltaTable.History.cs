using System.Runtime.CompilerServices;
using Millrace.Delta.Log;

namespace Millrace.Delta;

public sealed partial class DeltaTable
{
    /// <summary>The newest checkpoint that we know of; 0 also when we know of none.</summary>
    private long _checkpointed;

    /// <summary>
    /// The table as it was at that version. DL-0006 when the log does not have it (any more). Files that were removed
    /// since are there as long as vacuum leaves them.
    /// </summary>
    public async ValueTask<DeltaSnapshot> AtVersionAsync(long version, CancellationToken ct = default)
    {
        var readAt = _time.GetUtcNow();
        var builder = version < 0 ? null : await _log.OpenAsync(version, ct).ConfigureAwait(false);
        return builder?.Version == version
            ? builder.Build(readAt)
            : throw DeltaErrors.VersionGone.With($"{Root} {version}").AsException();
    }

    /// <summary>The table as it was at that time: the newest version that had been written by then. DL-0006.</summary>
    public async ValueTask<DeltaSnapshot> AtTimeAsync(DateTimeOffset time, CancellationToken ct = default)
    {
        var listing = await _log.ListAsync(0, ct).ConfigureAwait(false);
        var version = -1L;
        foreach (var (number, writtenAt) in listing.Entries)
        {
            // Clocks may disagree by a little; the order of numbers is the order of versions.
            if (writtenAt > time) break;
            version = number;
        }

        return version < 0
            ? throw DeltaErrors.VersionGone.With($"{Root} {time:O}").AsException()
            : await AtVersionAsync(version, ct).ConfigureAwait(false);
    }

    /// <summary>What was done to the table, newest first, as far as its log goes back.</summary>
    public async IAsyncEnumerable<DeltaVersion> HistoryAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        var listing = await _log.ListAsync(0, ct).ConfigureAwait(false);
        foreach (var (version, writtenAt) in listing.Entries.Reverse())
        {
            if (await _log.ReadAsync(version, ct).ConfigureAwait(false) is not { } actions) yield break;
            var info = actions.OfType<CommitInfo>().FirstOrDefault();
            var adds = actions.OfType<AddFile>().ToList();
            yield return new DeltaVersion(
                version,
                info is { TimestampMs: > 0 } ? DateTimeOffset.FromUnixTimeMilliseconds(info.TimestampMs) : writtenAt,
                info?.Operation ?? "",
                adds.Count,
                actions.OfType<RemoveFile>().Count(),
                adds.Where(add => add.DataChange).Sum(add => add.Stats?.Records ?? 0),
                info?.Details ?? new Dictionary<string, string>());
        }
    }

    /// <summary>
    /// To be called after each commit: now and then writes a checkpoint, and deletes what the log does not need any
    /// more. When it fails the table is as good as before, and the next one makes up for it.
    /// </summary>
    /// <returns>How many objects of the log were deleted.</returns>
    public async ValueTask<int> TidyLogAsync(long committed, CancellationToken ct = default)
    {
        if (committed - _checkpointed < _options.CheckpointInterval) return 0;

        // Another writer may have written one meanwhile.
        _checkpointed = await _log.HintAsync(ct).ConfigureAwait(false);
        if (committed - _checkpointed < _options.CheckpointInterval) return 0;
        await CheckpointAsync(ct).ConfigureAwait(false);
        _checkpointed = committed;
        return await _log.CleanUpAsync(_time.GetUtcNow() - _options.LogRetention, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes what of the log only versions from before that time need, also of a table that nobody writes to any
    /// more: where no checkpoint stands for entries that are so old, one is written. Do not choose a time within the
    /// <see cref="DeltaTableOptions.VacuumSafeAge"/>.
    /// </summary>
    /// <returns>How many objects of the log were deleted.</returns>
    public async ValueTask<int> TrimLogAsync(DateTimeOffset oldest, CancellationToken ct = default)
    {
        var listing = await _log.ListAsync(0, ct).ConfigureAwait(false);
        var last = listing.LastBefore(oldest);
        if (last < 0) return 0;
        if (listing.Checkpoints.Count == 0 || listing.Checkpoints[^1].Version < last)
            await CheckpointAsync(ct).ConfigureAwait(false);
        return await _log.CleanUpAsync(oldest, ct).ConfigureAwait(false);
    }

    /// <summary>When the oldest entry was written that the log has; null when there is no table.</summary>
    public async ValueTask<DateTimeOffset?> LogBeginsAsync(CancellationToken ct = default)
    {
        var listing = await _log.ListAsync(0, ct).ConfigureAwait(false);
        return listing.Entries.Count == 0 ? null : listing.Entries[0].WrittenAt;
    }

    /// <summary>Writes the newest state as a checkpoint, so that readers need not read all entries.</summary>
    public async ValueTask CheckpointAsync(CancellationToken ct = default)
    {
        if (await RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot) return;
        var removedSinceMs = (_time.GetUtcNow() - _options.VacuumSafeAge).ToUnixTimeMilliseconds();
        await _log.WriteCheckpointAsync(snapshot, removedSinceMs, ct).ConfigureAwait(false);
        await ForgetRemovedAsync(removedSinceMs, ct).ConfigureAwait(false);
    }

    /// <summary>A process that runs for months need not know every file that there ever was.</summary>
    private async ValueTask ForgetRemovedAsync(long sinceMs, CancellationToken ct)
    {
        await _refreshing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_snapshot is not { } snapshot) return;
            var old = snapshot.Removed.Values.Where(file => file.DeletionTimestampMs < sinceMs);
            _snapshot = snapshot with { Removed = snapshot.Removed.RemoveRange(old.Select(file => file.Path)) };
        }
        finally
        {
            _refreshing.Release();
        }
    }
}

/// <summary>One entry of a table's log.</summary>
/// <param name="RowsAdded">Rows that were not in the table before, as far as statistics tell.</param>
/// <param name="Details">What the operation said of itself.</param>
public sealed record DeltaVersion(
    long Version, DateTimeOffset At, string Operation, int FilesAdded, int FilesRemoved, long RowsAdded,
    IReadOnlyDictionary<string, string> Details);
