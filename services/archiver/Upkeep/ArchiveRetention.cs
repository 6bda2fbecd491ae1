using System.Globalization;
using Microsoft.Extensions.Logging;
using Millrace.Delta;
using Millrace.Delta.Log;

namespace Millrace.Archiver.Upkeep;

/// <summary>What went for its age.</summary>
/// <param name="Before">Rows of hours before this one are not part of the table any more.</param>
internal sealed record Retired(int Files, long Rows, DateTimeOffset? Before);

/// <summary>Takes whole hours out of the table by age, and records up to which one in the same commit.</summary>
internal sealed class ArchiveRetention(
    ArchiverMetrics metrics, TimeProvider time, ILogger<ArchiveRetention> logger)
{
    public async ValueTask<Retired> RunAsync(ArchiveTable archive, TimeSpan age, CancellationToken ct)
    {
        while (true)
        {
            if (await archive.Table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot)
                return new Retired(0, 0, null);
            var now = time.GetUtcNow();
            var before = new DateTimeOffset((now - age).UtcTicks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour,
                TimeSpan.Zero);
            var old = snapshot.Files.Values.Where(file => TableFiles.HourOf(file) < before).ToList();
            if (old.Count == 0) return new Retired(0, 0, null);
            var rows = old.Sum(file => file.Stats?.Records ?? 0);
            var result = await archive.CommitAsync(CommitOf(archive, snapshot, old, rows, before, now), ct)
                .ConfigureAwait(false);

            // A merge was faster: look again.
            if (result.Outcome != DeltaCommitOutcome.Committed) continue;
            metrics.RowsRemoved(archive.Output, "retention", rows);
            logger.Retired(archive.Table.Root, rows, old.Count, before);
            return new Retired(old.Count, rows, before);
        }
    }

    private static DeltaCommit CommitOf(
        ArchiveTable archive, DeltaSnapshot snapshot, List<AddFile> old, long rows, DateTimeOffset before,
        DateTimeOffset now)
    {
        var record = RetentionRecord.Of(archive.Table.Root);
        var recorded = snapshot.PositionOf(record);
        var beforeMs = before.ToUnixTimeMilliseconds();
        return new DeltaCommit
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "DELETE",
            Details = new Dictionary<string, string>
            {
                ["reason"] = "retention",
                ["before"] = before.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                ["rows"] = rows.ToString(CultureInfo.InvariantCulture),
            },
            Removes = [.. old.Select(file => new RemoveFile(file.Path, 0, DataChange: true))],
            Moves = recorded >= beforeMs ? [] : [new PositionMove(record, recorded, beforeMs)],
            FilesWrittenAt = now,
        };
    }
}
