using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Rewriting;
using Millrace.Archiver.Rows;
using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Verification;

/// <summary>
/// Compares a table of the archive with its topic, offset by offset: what the log has up to the table's position, less
/// what retention and erasures recorded, what dead letters hold and what stale owners wrote, is what the table has,
/// each row once, where readers look for it, and with promoted values that are those of its body. Of what the log has
/// no more, the table itself tells how far its rows are without a gap.
/// </summary>
internal sealed class ArchiveVerifier(
    TableFiles files, IEventLog log, IDeadLetterStore letters, IOptions<ArchiverOptions> options)
{
    /// <summary>Offsets that are compared at a time: some 10 bytes of memory each, and a file's rows.</summary>
    public const int OffsetsMax = 1_000_000;

    private const int ReadBytes = 4 << 20;

    private readonly IReadOnlyList<PromotedColumn> _promoted = PromotedColumn.From(options.Value);

    /// <summary>
    /// Compares from the offset on at most <see cref="OffsetsMax"/> offsets and not beyond the table's position;
    /// nothing when From and To of the result are the same. What the log does not have any more is a stretch by itself,
    /// of which the table alone tells.
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
        if (snapshot is not null && from < Math.Min(range.First, archived))
        {
            return await WithoutLogAsync(archive, snapshot, source, from, Math.Min(range.First, archived), ct)
                .ConfigureAwait(false);
        }

        var first = Math.Max(from, range.First);
        var end = Math.Max(first, Math.Min(first + OffsetsMax, Math.Min(archived, range.Next)));
        var stretch = new Stretch(archive.Name, partition, first, end);
        if (snapshot is not null && end > first)
        {
            var expectation = new Expectation(archive, snapshot, source, isWhole: range.First == 0);
            await ReadLogAsync(stretch, source, archive.Output is null ? first : range.First, expectation, ct)
                .ConfigureAwait(false);
            await foreach (var (file, rows) in ReadAsync(archive, snapshot, partition, first, end, ct)
                .ConfigureAwait(false))
            {
                var hashOf = RowHash.OfRows(rows, isTelemetry: archive.Output is null);
                var some = Within(rows, partition, first, end);
                var defects = DefectsOf(archive, snapshot, file, rows, some);
                foreach (var row in some) stretch.AddRow(rows.LogOffset[row], hashOf(row), defects.Of(row));
            }
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

    /// <summary>What the log has no more.</summary>
    private async ValueTask<Verification> WithoutLogAsync(
        ArchiveTable archive, DeltaSnapshot snapshot, TopicPartition source, long from, long end, CancellationToken ct)
    {
        var partition = source.Partition;
        long? rowBeforeMs = null;
        await foreach (var (_, rows) in ReadAsync(archive, snapshot, partition, from - 1, from, ct)
            .ConfigureAwait(false))
        {
            foreach (var row in Within(rows, partition, from - 1, from)) rowBeforeMs = rows.EnqueuedAt[row] / 1000;
        }

        // Before the first row there may be far more offsets than are looked at at a time.
        var least = LeastOffset(snapshot, partition, from, end);
        if (rowBeforeMs is null && least - from > OffsetsMax)
            return TrimmedStretch.WithoutRows(archive, partition, from, least);

        var to = Math.Min(from + OffsetsMax, end);
        var expectation = new Expectation(archive, snapshot, source, isWhole: false);
        var stretch = new TrimmedStretch(archive, partition, from, to, rowBeforeMs, expectation);
        await foreach (var (file, rows) in ReadAsync(archive, snapshot, partition, from, to, ct).ConfigureAwait(false))
        {
            var some = Within(rows, partition, from, to);
            var defects = DefectsOf(archive, snapshot, file, rows, some);
            foreach (var row in some)
            {
                stretch.AddRow(rows.LogOffset[row], rows.EnqueuedAt[row] / 1000,
                    rows.Device.Has(row) ? rows.Device.Text(row) : [], defects.Of(row));
            }
        }

        return await stretch.ResultAsync(offset => IsDeadLetteredAsync(source, offset, ct)).ConfigureAwait(false);
    }

    /// <summary>The least offset from there on that a file may have, or the end.</summary>
    private static long LeastOffset(DeltaSnapshot snapshot, int partition, long from, long end) => snapshot
        .FilesWithin([new ColumnRange("log_partition", partition, partition), new ColumnRange("log_offset", from, end)])
        .Select(file => file.Stats?.Find("log_offset")?.Min as long? ?? from)
        .Append(end).Min();

    private RowDefects DefectsOf(
        ArchiveTable archive, DeltaSnapshot snapshot, AddFile file, RowSet rows, int[] some) => new(
            file, rows, some, archive.Output is null
                ? [.. PromotedColumn.Beside(snapshot.Schema, _promoted, (_, _) => { })
                    .Where(column => rows.Has(column.Name))]
                : []);

    /// <summary>The files that may have rows of these offsets, one by one.</summary>
    private async IAsyncEnumerable<(AddFile File, RowSet Rows)> ReadAsync(
        ArchiveTable archive, DeltaSnapshot snapshot, int partition, long from, long to,
        [EnumeratorCancellation] CancellationToken ct)
    {
        var some = snapshot.FilesWithin(
            [new ColumnRange("log_partition", partition, partition), new ColumnRange("log_offset", from, to - 1)]);
        foreach (var file in some)
        {
            var rows = await files.ReadAsync(archive, snapshot, [file], ct, withStatistics: true).ConfigureAwait(false);
            yield return (file, rows);
        }
    }

    private static int[] Within(RowSet rows, int partition, long from, long to)
    {
        var some = new List<int>();
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows.LogPartition[row] == partition && rows.LogOffset[row] >= from && rows.LogOffset[row] < to)
                some.Add(row);
        }

        return [.. some];
    }

    private async ValueTask<bool> IsDeadLetteredAsync(TopicPartition source, long offset, CancellationToken ct)
    {
        var id = $"{DeadLetterStages.Archiver}~{source.Topic}~{source.Partition}~{offset}~-1";
        return await letters.FindAsync(id, ct).ConfigureAwait(false) is not null;
    }
}
