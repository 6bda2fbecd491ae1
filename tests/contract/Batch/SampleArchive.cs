using System.Text;
using Millrace.Archiver;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.ObjectStore;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// A small archive whose content is known: for each of 4 hours 50 readings of 5 devices, one file an hour.
/// </summary>
internal static class SampleArchive
{
    public const int Hours = 4;
    public const int RowsPerHour = 50;
    public const int Devices = 5;

    public static readonly DateTimeOffset Start = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    public static async Task WriteAsync(IObjectStore store)
    {
        using var records = Records();
        await WriteTelemetryAsync(store, records, "temperature");
    }

    /// <summary>Records as the archive of telemetry, with columns of the same name as their fields.</summary>
    public static Task WriteTelemetryAsync(IObjectStore store, RecordBatchBuilder records, params string[] promoted) =>
        WriteTelemetryAsync(store, records, new ArchiverOptions().RowGroupRows, promoted);

    /// <param name="rowGroupRows">Rows of a row group.</param>
    public static Task WriteTelemetryAsync(
        IObjectStore store, RecordBatchBuilder records, int rowGroupRows, params string[] promoted)
    {
        var options = new ArchiverOptions
        {
            PromotedColumns = [.. promoted.Select(name => new PromotedColumnOptions { Name = name, Path = name })],
        };
        return WriteAsync(store, TelemetryTable.Root, new TelemetryLayout(PromotedColumn.From(options)), records,
            new TopicPartition(Topics.Telemetry, 0), rowGroupRows);
    }

    /// <summary>Two rows of a query's output, one of a device.</summary>
    public static async Task WriteOutputAsync(IObjectStore store, string output)
    {
        var topic = Topics.Output(output);
        using var records = new RecordBatchBuilder();
        records.Begin(Start.ToUnixTimeMilliseconds(), "device-1"u8);
        records.AddHeader(OutputHeaders.RowId, "one"u8);
        records.AddHeader(OutputHeaders.Query, "q/3"u8);
        records.End("{\"n\":1}"u8);
        records.Begin(Start.AddHours(1).ToUnixTimeMilliseconds(), [], hasKey: false);
        records.End("{\"n\":2}"u8);
        await WriteAsync(store, OutputTable.RootOf(output), new OutputLayout(topic), records,
            new TopicPartition(topic, 0), new ArchiverOptions().RowGroupRows);
    }

    private static async Task WriteAsync(
        IObjectStore store, string root, ArchiveLayout layout, RecordBatchBuilder records, TopicPartition source,
        int rowGroupRows)
    {
        var options = new ArchiverOptions();
        using var encoder = new FileEncoder(
            layout, options.Compression, new RowGroupLimit(rowGroupRows, long.MaxValue));
        using var table = new DeltaTable(store, root, TimeProvider.System);
        await table.EnsureAsync(layout.Schema, TelemetryTable.PartitionColumns);
        var buffer = new RowBuffer(layout, options.RecordSizeMax.Bytes, options.RollSize.Bytes);
        buffer.Add(new RecordBatch(source, 0, records.Count, records.Bytes), Start);
        var adds = new List<Delta.Log.AddFile>();
        foreach (var file in encoder.Encode(buffer))
        {
            var add = file.ToAction(Start);
            await store.PutAsync(table.KeyOf(add), file.Content);
            adds.Add(add);
        }

        await table.CommitAsync(new DeltaCommit
        {
            Id = root,
            Operation = "WRITE",
            Adds = adds,
            Moves = [new PositionMove($"{source}", null, records.Count)],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
    }

    private static RecordBatchBuilder Records()
    {
        var records = new RecordBatchBuilder();
        for (var i = 0; i < Hours * RowsPerHour; i++)
        {
            var at = Start.AddHours(i / RowsPerHour).AddMinutes(i % RowsPerHour);
            records.Begin(at.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes($"device-{i % Devices}"));
            if (i % 2 == 0) records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            if (i % 10 == 9) records.AddHeader(TelemetryHeaders.ContentType, "application/octet-stream"u8);
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, "n"u8, Encoding.UTF8.GetBytes($"{i}"));
            records.End(Encoding.UTF8.GetBytes($"{{\"temperature\":{i}}}"));
        }

        return records;
    }
}
