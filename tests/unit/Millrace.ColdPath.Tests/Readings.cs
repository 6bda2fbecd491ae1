using Millrace.Batch;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;

namespace Millrace.ColdPath.Tests;

/// <summary>An archive of readings, with the promoted columns temperature, battery and mode.</summary>
internal sealed class Readings(ColdPathHost host) : IAsyncDisposable
{
    private readonly DeltaTable _table = new(host.Objects, TelemetryTable.Root, TimeProvider.System);

    public static async Task<Readings> OpenAsync(ColdPathHost host)
    {
        var readings = new Readings(host);
        await readings._table.EnsureAsync(
            new DeltaSchema([.. TelemetryTable.BaseSchema.Columns, new("temperature", DeltaType.Double),
                new("battery", DeltaType.Long), new("mode", DeltaType.String)]),
            TelemetryTable.PartitionColumns);
        return readings;
    }

    /// <summary>A file of readings of one device in one hour, made part of the table.</summary>
    public async Task ArchiveAsync(string date, int hour, string device, double[] temperatures)
    {
        var folder = $"date={date}/hour={hour}/{device}";
        var written = await host.Engine.WriteParquetAsync(
            new BatchQuery($$"""
                SELECT '{{device}}' AS device_id, NULL::VARCHAR AS module_id,
                  TIMESTAMPTZ '{{date}} {{hour:D2}}:00:00+00' AS enqueued_at, enqueued_at AS event_at,
                  0 AS log_partition, 0::BIGINT AS log_offset, NULL::VARCHAR AS content_type,
                  NULL::VARCHAR AS content_encoding,
                  NULL::VARCHAR AS message_id, MAP {'k': 'v'} AS properties, 'body'::BLOB AS body,
                  t::DOUBLE AS temperature, 50::BIGINT AS battery, 'auto' AS mode
                FROM (SELECT unnest([{{string.Join(", ", temperatures)}}]) AS t)
                """),
            new BatchOutput($"{TelemetryTable.Root}/{folder}"));
        await _table.CommitAsync(new DeltaCommit
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "WRITE",
            Adds =
            [
                new AddFile($"{folder}/{Path.GetFileName(written.Keys[0])}",
                    new Dictionary<string, string> { ["date"] = date, ["hour"] = $"{hour}" }, written.Bytes, 0, true,
                    null),
            ],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
    }

    public ValueTask DisposeAsync()
    {
        _table.Dispose();
        return ValueTask.CompletedTask;
    }
}
