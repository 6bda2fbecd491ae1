using Millrace.Archiver.Rewriting;
using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Pruning;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Verification;

/// <summary>
/// Compares the archive with the log, offset by offset: what the log has up to the archive's position, less what
/// retention and erasures recorded and what dead letters hold, is what the archive has, each row once.
/// </summary>
internal sealed class ArchiveVerifier(
    ArchiveTables tables, TableFiles files, IEventLog log, IDeadLetterStore letters)
{
    /// <summary>Offsets that are compared at a time: some 10 bytes of memory each, and a file's rows.</summary>
    public const int OffsetsMax = 1_000_000;

    private const int ReadBytes = 4 << 20;

    private readonly ArchiveTable _archive = tables.Telemetry;

    /// <summary>
    /// Compares from the offset, or where the log begins, at most <see cref="OffsetsMax"/> offsets and not beyond the
    /// archive's position; nothing when From and To of the result are the same.
    /// </summary>
    public async ValueTask<Verification> RunAsync(int partition, long from, CancellationToken ct)
    {
        var source = new TopicPartition(Topics.Telemetry, partition);
        var range = await log.RangeAsync(source, ct).ConfigureAwait(false);
        var snapshot = await _archive.Table.RefreshAsync(ct).ConfigureAwait(false);
        var archived = snapshot?.PositionOf(TelemetryTable.AppIdOf(partition)) ?? 0;
        var first = Math.Max(from, range.First);
        var end = Math.Max(first, Math.Min(first + OffsetsMax, Math.Min(archived, range.Next)));
        var stretch = new Stretch(partition, first, end);
        if (snapshot is not null && end > first)
        {
            await ReadLogAsync(stretch, source, snapshot, ct).ConfigureAwait(false);
            await ReadArchiveAsync(stretch, snapshot, ct).ConfigureAwait(false);
        }

        return await stretch.ResultAsync(offset => IsDeadLetteredAsync(partition, offset, ct)).ConfigureAwait(false);
    }

    private async ValueTask ReadLogAsync(
        Stretch stretch, TopicPartition source, DeltaSnapshot snapshot, CancellationToken ct)
    {
        var retainedFromMs = (ArchiveRecords.RetainedFrom(_archive, snapshot) ?? DateTimeOffset.MinValue)
            .ToUnixTimeMilliseconds();
        var erased = ArchiveRecords.ErasedIn(snapshot, source.Partition);
        await using var reader = log.OpenReader(source, stretch.From);
        for (var next = stretch.From; next < stretch.To;)
        {
            if (await reader.TryReadAsync(ReadBytes, ct).ConfigureAwait(false) is not { } batch) return;
            foreach (var record in batch)
            {
                if (record.Offset < stretch.From || record.Offset >= stretch.To) continue;
                stretch.AddRecord(record, record.TimestampMs < retainedFromMs
                    ? Expected.Retired
                    : ExpectedOf(record, erased));
            }

            next = batch.NextOffset;
        }
    }

    private static Expected ExpectedOf(RecordView record, Dictionary<string, (long Begun, long Done)> erased)
    {
        if (erased.Count == 0 || !erased.TryGetValue(ArchiveRecords.HashOf(record.Key), out var upTo))
            return Expected.Row;
        if (record.Offset < upTo.Done) return Expected.Erased;
        return record.Offset < upTo.Begun ? Expected.Erasing : Expected.Row;
    }

    private async ValueTask ReadArchiveAsync(Stretch stretch, DeltaSnapshot snapshot, CancellationToken ct)
    {
        var some = snapshot.FilesWithin(
        [
            new ColumnRange("log_partition", stretch.Partition, stretch.Partition),
            new ColumnRange("log_offset", stretch.From, stretch.To - 1),
        ]);
        foreach (var file in some)
        {
            var rows = await files.ReadAsync(_archive, snapshot, [file], ct).ConfigureAwait(false);
            var telemetry = new TelemetryRows(rows);
            for (var row = 0; row < rows.Count; row++)
            {
                var offset = rows.LogOffset[row];
                if (rows.LogPartition[row] == stretch.Partition && offset >= stretch.From && offset < stretch.To)
                    stretch.AddRow(offset, RowHash.Of(telemetry, row));
            }
        }
    }

    private async ValueTask<bool> IsDeadLetteredAsync(int partition, long offset, CancellationToken ct)
    {
        var id = $"{DeadLetterStages.Archiver}~{Topics.Telemetry}~{partition}~{offset}~-1";
        return await letters.FindAsync(id, ct).ConfigureAwait(false) is not null;
    }
}
