using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;

namespace Millrace.Archiver.Tests;

/// <summary>The results of a job beside the archive, written as the cold path's runs write them.</summary>
internal sealed class JobHarness(ArchiverHarness archive, string job, DeltaSchema rows) : IDisposable
{
    private readonly DeltaSchema _schema = new([.. rows.Columns, new("part_day", DeltaType.Date, Nullable: false)]);

    public DeltaTable Table { get; } = new(archive.Objects, BatchTable.OfJob(job).Root, TimeProvider.System);

    /// <summary>A run: its rows take the place of those that the part had.</summary>
    /// <param name="startedAt">As the files will say.</param>
    public async Task RunAsync(string day, string sql, DateTimeOffset startedAt)
    {
        await Table.EnsureAsync(_schema, ["part_day"]);
        var written = await archive.WriteParquetAsync(sql, $"{Table.Root}/part_day={day}/{Guid.NewGuid():N}");
        var adds = new List<AddFile>();
        foreach (var key in written.Keys)
        {
            var bytes = (await archive.Objects.FindAsync(key))!.Bytes;
            adds.Add(new AddFile(key[(Table.Root.Length + 1)..], new Dictionary<string, string> { ["part_day"] = day },
                bytes, startedAt.ToUnixTimeMilliseconds(), DataChange: true,
                await ParquetStatistics.ReadAsync(archive.Objects, key, bytes)));
        }

        while (true)
        {
            var snapshot = (await Table.RefreshAsync())!;
            var at = snapshot.PositionOf($"part/{day}");
            var result = await Table.CommitAsync(new DeltaCommit
            {
                Id = Guid.NewGuid().ToString(),
                Operation = "WRITE",
                Adds = adds,
                Removes =
                [
                    .. snapshot.Files.Values.Where(file => file.PartitionValues["part_day"] == day)
                        .Select(file => new RemoveFile(file.Path, 0, DataChange: true)),
                ],
                Moves = [new PositionMove($"part/{day}", at, (at ?? 0) + 1)],
                FilesWrittenAt = TimeProvider.System.GetUtcNow(),
            });
            if (result.Outcome == DeltaCommitOutcome.Committed) return;
        }
    }

    public void Dispose() => Table.Dispose();
}
