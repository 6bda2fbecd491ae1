using Millrace.Delta.Pruning;

namespace Millrace.Archiver.Upkeep;

/// <summary>That a device's rows are gone, looked up anew.</summary>
/// <param name="DeviceHash">SHA-256 of the device's id: how the records name it.</param>
/// <param name="Table">Where the table lies that was looked at.</param>
/// <param name="Version">Its version.</param>
/// <param name="Records">Up to which offset of which log partition rows were erased, and when.</param>
/// <param name="FilesRead">Files of that version that could hold rows of the device, all of which were read.</param>
/// <param name="ErasedRowsFound">Rows below these offsets; 0 unless something is wrong.</param>
/// <param name="LaterRows">Rows that the device sent after it was erased.</param>
/// <param name="OldFiles">Objects below the table that are no part of it, and that vacuum has yet to delete.</param>
/// <param name="OldFilesGoBy">When vacuum may delete the last of them; null when there are none.</param>
internal sealed record ErasureProof(
    string DeviceHash, string Table, long Version, IReadOnlyList<ErasureRecord> Records, int FilesRead,
    long ErasedRowsFound, long LaterRows, int OldFiles, DateTimeOffset? OldFilesGoBy)
{
    /// <summary>The run that is under way since before the erasure was done, and may write rows of before.</summary>
    public string? RunUnderWay { get; init; }

    /// <summary>Why this table's part proves nothing, a sentence each.</summary>
    internal IEnumerable<string> Gaps =>
    [
        .. Records.Where(record => record.Begun != record.Done).Select(record =>
            $"The erasure from {Table}/{record.LogPartition} began up to {Text(record.Begun)} and is done up to "
            + $"{Text(record.Done)}: ask for it again."),
        .. ErasedRowsFound > 0 ? [$"{Table} has {ErasedRowsFound} rows of before the erasure."] : Array.Empty<string>(),
        .. RunUnderWay is { } run
            ? [$"The run {run} of {Table} began before the erasure was done and goes on: look again when it has ended."]
            : Array.Empty<string>(),
    ];

    private static string Text(long? position) => position is { } known ? $"{known}" : "nothing";
}

/// <summary>
/// Looks at the table and at the store, and not at what an erasure said of itself: the archive's own tables, whose rows
/// have a place in the log.
/// </summary>
internal sealed class ErasureProver(TableFiles files)
{
    public async ValueTask<ErasureProof> ProveAsync(
        ArchiveTable archive, string deviceId, CancellationToken ct)
    {
        var hash = ArchiveRecords.HashOf(deviceId);
        if (await archive.Table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot)
            return new ErasureProof(hash, archive.Table.Root, -1, [], 0, 0, 0, 0, null);
        var records = ArchiveRecords.ErasuresOf(snapshot, hash);
        var before = records.ToDictionary(record => record.LogPartition, record => record.Done ?? 0);
        var device = System.Text.Encoding.UTF8.GetBytes(deviceId);
        var suspects = snapshot.FilesWithin([ColumnRange.Of("device_id", deviceId)]);
        var (found, later) = (0L, 0L);
        foreach (var file in suspects)
        {
            var rows = await files.ReadAsync(archive, snapshot, [file], ct).ConfigureAwait(false);
            for (var row = 0; row < rows.Count; row++)
            {
                if (!rows.Device.Text(row).SequenceEqual(device)) continue;
                if (rows.LogOffset[row] < before.GetValueOrDefault(rows.LogPartition[row])) found++;
                else later++;
            }
        }

        var old = await archive.Table.LeftoversAsync(ct).ConfigureAwait(false);
        return new ErasureProof(
            hash, archive.Table.Root, snapshot.Version, records, suspects.Count, found, later, old.Files, old.GoBy);
    }
}
