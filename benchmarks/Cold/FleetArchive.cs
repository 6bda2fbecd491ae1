using System.Globalization;
using System.Text;
using Millrace.Archiver;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.ObjectStore;

namespace Millrace.Benchmarks.Cold;

/// <summary>
/// Two days of a fleet, as merged files have them: each hour is a file of row groups that share the devices, sorted by
/// device and time.
/// </summary>
internal static class FleetArchive
{
    public const int Days = 2;
    public const int Devices = 10_000;
    public const int RowGroupsPerHour = 4;

    /// <summary>Of each device in an hour.</summary>
    public const int Messages = 12;

    public const int Rows = Days * 24 * Devices * Messages;

    public static readonly DateTimeOffset Start = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    public static async Task WriteAsync(IObjectStore store)
    {
        var options = new ArchiverOptions
        {
            PromotedColumns = { new PromotedColumnOptions { Name = "temperature", Path = "temperature" } },
        };
        var layout = new TelemetryLayout(PromotedColumn.From(options));
        using var encoder = new FileEncoder(
            layout, options.Compression, new RowGroupLimit(Devices * Messages / RowGroupsPerHour, long.MaxValue));
        using var table = new DeltaTable(store, TelemetryTable.Root, TimeProvider.System);
        await table.EnsureAsync(layout.Schema, TelemetryTable.PartitionColumns);
        var buffer = new RowBuffer(layout, options.RecordSizeMax.Bytes, options.RollSize.Bytes);
        var (random, offset) = (new Random(1), 0L);
        for (var hour = 0; hour < Days * 24; hour++)
        {
            using var records = Records(Start.AddHours(hour), random);
            buffer.Clear();
            buffer.Add(new RecordBatch(new TopicPartition(Topics.Telemetry, 0), offset, records.Count, records.Bytes),
                Start);
            offset += records.Count;
            var adds = new List<AddFile>();
            foreach (var file in encoder.Encode(buffer))
            {
                adds.Add(file.ToAction(Start));
                await store.PutAsync(table.KeyOf(adds[^1]), file.Content);
            }

            await table.CommitAsync(new DeltaCommit
            {
                Id = $"hour {hour}",
                Operation = "WRITE",
                Adds = adds,
                FilesWrittenAt = TimeProvider.System.GetUtcNow(),
            });
        }

        await table.CheckpointAsync();
    }

    private static RecordBatchBuilder Records(DateTimeOffset hour, Random random)
    {
        var records = new RecordBatchBuilder();
        for (var i = 0; i < Devices * Messages; i++)
        {
            var at = hour.AddSeconds(3600.0 * (i / Devices) / Messages);
            var device = Encoding.UTF8.GetBytes($"device-{i % Devices:D5}");
            records.Begin(at.ToUnixTimeMilliseconds(), device);
            records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            records.End(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"{{\"temperature\":{random.NextDouble() * 100:F2},\"humidity\":{random.Next(100)},"
                + $"\"pressure\":{random.NextDouble() * 1000:F3},\"status\":{{\"battery\":{random.Next(100)},"
                + $"\"mode\":\"auto\"}}}}")));
        }

        return records;
    }
}
