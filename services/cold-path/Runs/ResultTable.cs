using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.ColdPath.Runs;

/// <summary>
/// The results of a job as a table, by parts. A run replaces its part in one commit, so that readers see the old rows
/// or the new ones, and never both or neither. Each part has a position that the commit moves: of two runs that end at
/// the same time, the later starts from what the earlier left.
/// </summary>
internal sealed class ResultTable(
    IObjectStore store, IBatchEngine engine, IOptions<DeltaTableOptions> options, TimeProvider time)
{
    /// <summary>Runs the statement, and puts its rows in the place of the part's.</summary>
    public async Task<BatchWritten> ReplaceAsync(string job, TimePart part, BatchQuery query, CancellationToken ct)
    {
        var schema = await SchemaAsync(query, ct).ConfigureAwait(false);
        return await ReplaceAsync(job, part, schema,
            prefix => engine.WriteParquetAsync(query, new BatchOutput(prefix), ct), ct).ConfigureAwait(false);
    }

    /// <summary>Puts rows that somebody else writes in the place of the part's.</summary>
    /// <param name="write">Writes them below a key.</param>
    public async Task<BatchWritten> ReplaceAsync(
        string job, TimePart part, Schema rows, Func<string, ValueTask<BatchWritten>> write, CancellationToken ct)
    {
        var table = BatchTable.OfJob(job);
        using var delta = new DeltaTable(store, table.Root, time, options.Value);
        var partition = TimePart.ColumnsOf(part.Kind);
        var schema = SchemaOf(rows, partition);
        await delta.EnsureAsync(schema, [.. partition.Select(column => column.Name)], ct).ConfigureAwait(false);

        var startedAt = time.GetUtcNow();
        var folders = string.Join('/', partition.Select(column => $"{column.Name}={part.Values[column.Name]}"));
        var prefix = $"{table.Root}/{folders}/{Guid.NewGuid():N}";
        var written = await write(prefix).ConfigureAwait(false);
        var adds = new List<AddFile>();
        foreach (var key in written.Keys)
        {
            var found = await store.FindAsync(key, ct).ConfigureAwait(false);
            var stats = await ParquetStatistics.ReadAsync(store, key, found!.Bytes, ct).ConfigureAwait(false);
            adds.Add(new AddFile(key[(table.Root.Length + 1)..], part.Values, found.Bytes,
                startedAt.ToUnixTimeMilliseconds(), DataChange: true, LogOf(stats, schema)));
        }

        await CommitAsync(delta, part, adds, startedAt, ct).ConfigureAwait(false);
        return written;
    }

    /// <summary>The statistics as the table's log has them: times to the millisecond.</summary>
    private static FileStats? LogOf(FileStats? stats, DeltaSchema schema) => stats is null ? null : stats with
    {
        Columns =
        [
            .. stats.Columns.Where(column => schema.Find(column.Column) is not null)
                .Select(column => schema.Find(column.Column)!.Type == DeltaType.Timestamp
                    ? column with { Min = Millis(column.Min), Max = Millis(column.Max) }
                    : column),
        ],
    };

    private static string? Millis(object? time) => time is string text
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var at)
            ? at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            : null;

    private async Task CommitAsync(
        DeltaTable delta, TimePart part, List<AddFile> adds, DateTimeOffset startedAt, CancellationToken ct)
    {
        var position = $"part/{part.Name}";
        while (true)
        {
            var snapshot = (await delta.RefreshAsync(ct).ConfigureAwait(false))!;
            var at = snapshot.PositionOf(position);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();

            // Whoever lost the job meanwhile writes nothing any more.
            ct.ThrowIfCancellationRequested();
            var result = await delta.CommitAsync(new DeltaCommit
            {
                Id = Guid.NewGuid().ToString(),
                Operation = "WRITE",
                Adds = adds,
                Removes =
                [
                    .. snapshot.Files.Values.Where(file => part.Values.All(value =>
                            file.PartitionValues.GetValueOrDefault(value.Key) == value.Value))
                        .Select(file => new RemoveFile(file.Path, now, DataChange: true)),
                ],
                Moves = [new PositionMove(position, at, (at ?? 0) + 1)],
                FilesWrittenAt = startedAt,
            }, ct).ConfigureAwait(false);
            if (result.Outcome == DeltaCommitOutcome.Committed) return;
            if (result.Outcome == DeltaCommitOutcome.Expired)
                throw ColdPathErrors.RunTooLong.With($"{delta.Root} {part.Name}").AsException();
        }
    }

    /// <summary>The columns of the statement's rows. Its turn at the engine is over when this returns.</summary>
    private async Task<Schema> SchemaAsync(BatchQuery query, CancellationToken ct)
    {
        await using var result = await engine.QueryAsync(query with { IsSchemaOnly = true }, ct).ConfigureAwait(false);
        return result.Schema;
    }

    private static DeltaSchema SchemaOf(Schema rows, IReadOnlyList<DeltaColumn> partition)
    {
        var columns = rows.FieldsList.Select(field => new DeltaColumn(field.Name, TypeOf(field))).ToList();
        if (partition.FirstOrDefault(column => columns.Any(known => known.Name == column.Name)) is { } taken)
            throw ColdPathErrors.ResultInvalid.With(taken.Name, "This name is the part's own.").AsException();
        return new DeltaSchema([.. columns, .. partition]);
    }

    private static DeltaType TypeOf(Field field) => field.DataType switch
    {
        StringType or LargeStringType or StringViewType => DeltaType.String,
        Int64Type => DeltaType.Long,
        Int32Type => DeltaType.Integer,
        DoubleType => DeltaType.Double,
        BooleanType => DeltaType.Boolean,
        BinaryType => DeltaType.Binary,
        Date32Type => DeltaType.Date,
        TimestampType { Timezone: not null } => DeltaType.Timestamp,
        _ => throw ColdPathErrors.ResultInvalid
            .With(field.Name, $"It is {field.DataType.Name}; cast it to a type of docs/sql-batch.md.").AsException(),
    };
}
