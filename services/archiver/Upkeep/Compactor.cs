using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Delta;
using Millrace.Delta.Log;

namespace Millrace.Archiver.Upkeep;

/// <summary>What one merge did.</summary>
/// <param name="Done">False when there was nothing to merge, or another was faster.</param>
/// <param name="Hour">The enqueued hour whose files were merged.</param>
/// <param name="Left">How many hours still have files to merge.</param>
internal sealed record Compaction(
    bool Done, DateTimeOffset? Hour, int FilesBefore, int FilesAfter, long Rows, int Left);

/// <summary>
/// Merges small files of an hour into larger ones, sorted by device: fewer files to open, and narrower ranges to pass
/// over. One commit removes the old files and adds the new ones, so that a reader sees each row once before and after.
/// It names the files that it removes, and is void when one of them is gone: whoever else works on the table is safe.
/// </summary>
internal sealed class Compactor(
    TableFiles files, IOptions<ArchiverOptions> options, ArchiverMetrics metrics,
    TimeProvider time, ILogger<Compactor> logger)
{
    /// <summary>Files within this factor of each other's size are merged, so that rows seldom move.</summary>
    private const double TierFactor = 8;

    private static readonly Compaction Nothing = new(false, null, 0, 0, 0, 0);

    private readonly ArchiverOptions _options = options.Value;
    private readonly ArchiveUpkeepOptions _upkeep = options.Value.Upkeep;

    /// <summary>Merges one group of files of the table.</summary>
    /// <param name="all">Also hours that would be left for a while.</param>
    public async ValueTask<Compaction> RunOnceAsync(ArchiveTable archive, bool all, CancellationToken ct)
    {
        if (await archive.Table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot) return Nothing;
        var groups = GroupsOf(snapshot, all);
        if (groups.Count == 0) return Nothing;
        var group = groups[0];
        var startedAt = time.GetUtcNow();
        var rows = await files.ReadAsync(archive, snapshot, group, ct).ConfigureAwait(false);
        var order = rows.Sorted();
        var adds = new List<AddFile>();
        foreach (var (begin, end) in PartsOf(rows, order, group.Sum(file => file.Bytes)))
        {
            var file = rows.Encode(order.AsSpan(begin, end - begin), group[0].PartitionValues, _options.Compression,
                _options.RowGroups);
            adds.Add(await files.WriteAsync(archive, file, startedAt, dataChange: false, ct)
                .ConfigureAwait(false));
        }

        var result = await archive.CommitAsync(
            new DeltaCommit
            {
                Id = Guid.NewGuid().ToString(),
                Operation = "OPTIMIZE",
                Details = new Dictionary<string, string> { ["rows"] = $"{rows.Count}" },
                Adds = adds,
                Removes = [.. group.Select(file => new RemoveFile(file.Path, 0, DataChange: false))],
                FilesWrittenAt = startedAt,
            },
            ct).ConfigureAwait(false);
        metrics.Compacted(result.Outcome, group.Count, rows.Count);
        var hour = TableFiles.HourOf(group[0]);
        logger.Compacted(archive.Table.Root, hour, group.Count, adds.Count, rows.Count, result.Outcome.ToString());
        var done = result.Outcome == DeltaCommitOutcome.Committed;
        return new Compaction(done, hour, group.Count, adds.Count, rows.Count, groups.Count - (done ? 1 : 0));
    }

    /// <summary>Files that are to be merged, those of one hour together, the most first.</summary>
    private List<List<AddFile>> GroupsOf(DeltaSnapshot snapshot, bool all)
    {
        var quietSince = (time.GetUtcNow() - _upkeep.CompactionAfter).ToUnixTimeMilliseconds();
        var groups = new List<List<AddFile>>();
        foreach (var hour in snapshot.Files.Values.GroupBy(TableFiles.HourOf))
        {
            var small = hour.Where(file => file.Bytes < _upkeep.CompactionFileSize.Bytes / 2)
                .OrderBy(file => file.ModificationTimeMs).ThenBy(file => file.Path, StringComparer.Ordinal).ToList();
            var isQuiet = all || hour.Max(file => file.ModificationTimeMs) < quietSince;
            var alike = isQuiet ? [small] : small.GroupBy(TierOf).Select(tier => tier.ToList())
                .Where(tier => tier.Count >= _upkeep.CompactionFilesMin);
            groups.AddRange(alike.Select(files => WithinLimits(files).FirstOrDefault(group => group.Count > 1))
                .OfType<List<AddFile>>());
        }

        return [.. groups.OrderByDescending(group => group.Count)];
    }

    private static int TierOf(AddFile file) => (int)Math.Log(Math.Max(1, file.Bytes), TierFactor);

    /// <summary>In their order, as many of them at a time as may be held in memory.</summary>
    private IEnumerable<List<AddFile>> WithinLimits(List<AddFile> alike)
    {
        var group = new List<AddFile>();
        var (rows, bytes) = (0L, 0L);
        foreach (var file in alike)
        {
            var more = file.Stats?.Records ?? _upkeep.CompactionRowsMax;
            if (group.Count > 0 && (rows + more > _upkeep.CompactionRowsMax
                || bytes + file.Bytes > _upkeep.CompactionFileSize.Bytes * 2))
            {
                yield return group;
                (group, rows, bytes) = ([], 0, 0);
            }

            group.Add(file);
            rows += more;
            bytes += file.Bytes;
        }

        yield return group;
    }

    /// <summary>Where one new file ends and the next begins: near the wanted size, and not within a device.</summary>
    private List<(int Begin, int End)> PartsOf(Rewriting.RowSet rows, int[] order, long bytes)
    {
        var parts = new List<(int, int)>();
        var wanted = Math.Max(1, (int)Math.Ceiling((double)bytes / _upkeep.CompactionFileSize.Bytes));
        var step = Math.Max(1, (order.Length + wanted - 1) / wanted);
        for (var begin = 0; begin < order.Length;)
        {
            var end = Math.Min(order.Length, begin + step);
            while (end < order.Length
                && rows.Device.Text(order[end]).SequenceEqual(rows.Device.Text(order[end - 1]))) end++;
            parts.Add((begin, end));
            begin = end;
        }

        return parts;
    }
}
