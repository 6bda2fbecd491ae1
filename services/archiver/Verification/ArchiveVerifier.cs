using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Pruning;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Verification;

/// <summary>
/// Compares a table of the archive with its topic, offset by offset: what the log has up to the table's position, less
/// what retention and erasures recorded, what dead letters hold and what stale owners wrote, is what the table has,
/// each row once.
/// </summary>
internal sealed class ArchiveVerifier(TableFiles files, IEventLog log, IDeadLetterStore letters)
{
    /// <summary>Offsets that are compared at a time: some 10 bytes of memory each, and a file's rows.</summary>
    public const int OffsetsMax = 1_000_000;

    private const int ReadBytes = 4 << 20;

    /// <summary>
    /// Compares from the offset, or where the log begins, at most <see cref="OffsetsMax"/> offsets and not beyond the
    /// table's position; nothing when From and To of the result are the same. What the log does not have any more from
    /// the offset on is counted.
    /// </summary>
    public async ValueTask<Verification> RunAsync(
        ArchiveTable archive, int partition, long from, CancellationToken ct)
    {
        var nothing = new Stretch(archive.Name, partition, from, from);
        if (archive.TopicIn(log) is not { } topic)
            return await nothing.ResultAsync(_ => default).ConfigureAwait(false);
        var source = new TopicPartition(topic, partition);
        var range = await log.RangeAsync(source, ct).ConfigureAwait(false);
        var snapshot = await archive.Table.RefreshAsync(ct).ConfigureAwait(false);
        var archived = snapshot?.PositionOf($"{source}") ?? 0;
        var first = Math.Max(from, range.First);
        var end = Math.Max(first, Math.Min(first + OffsetsMax, Math.Min(archived, range.Next)));
        var stretch = new Stretch(
            archive.Name, partition, first, end, trimmed: Math.Max(0, Math.Min(first, archived) - from));
        if (snapshot is not null && end > first)
        {
            var expectation = new Expectation(archive, snapshot, source, isWhole: range.First == 0);
            await ReadLogAsync(stretch, source, archive.Output is null ? first : range.First, expectation, ct)
                .ConfigureAwait(false);
            await ReadTableAsync(stretch, archive, snapshot, ct).ConfigureAwait(false);
        }

        return await stretch.ResultAsync(offset => IsDeadLetteredAsync(source, offset, ct)).ConfigureAwait(false);
    }

    private async ValueTask ReadLogAsync(
        Stretch stretch, TopicPartition source, long from, Expectation expectation, CancellationToken ct)
    {
        await using var reader = log.OpenReader(source, from);
        for (var next = from; next < stretch.To;)
        {
            if (await reader.TryReadAsync(ReadBytes, ct).ConfigureAwait(false) is not { } batch) return;
            foreach (var record in batch)
            {
                if (record.Offset >= stretch.To) break;
                var expected = expectation.Of(record);
                if (record.Offset >= stretch.From)
                    stretch.AddRecord(record.Offset, RowHash.Of(record, source), expected);
            }

            next = batch.NextOffset;
        }
    }

    private async ValueTask ReadTableAsync(
        Stretch stretch, ArchiveTable archive, DeltaSnapshot snapshot, CancellationToken ct)
    {
        var some = snapshot.FilesWithin(
        [
            new ColumnRange("log_partition", stretch.Partition, stretch.Partition),
            new ColumnRange("log_offset", stretch.From, stretch.To - 1),
        ]);
        foreach (var file in some)
        {
            var rows = await files.ReadAsync(archive, snapshot, [file], ct).ConfigureAwait(false);
            var hashOf = RowHash.OfRows(rows, isTelemetry: archive.Output is null);
            for (var row = 0; row < rows.Count; row++)
            {
                var offset = rows.LogOffset[row];
                if (rows.LogPartition[row] == stretch.Partition && offset >= stretch.From && offset < stretch.To)
                    stretch.AddRow(offset, hashOf(row));
            }
        }
    }

    private async ValueTask<bool> IsDeadLetteredAsync(TopicPartition source, long offset, CancellationToken ct)
    {
        var id = $"{DeadLetterStages.Archiver}~{source.Topic}~{source.Partition}~{offset}~-1";
        return await letters.FindAsync(id, ct).ConfigureAwait(false) is not null;
    }
}
