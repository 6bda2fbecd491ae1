using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// The telemetry table's statements, and a row's way into it and back. The timestamps of writes are made of the record
/// alone, so that a replay writes the same again, whatever the clock says.
/// </summary>
internal static class TelemetryTable
{
    private const string Fields =
        "event_at, part, log_offset, enqueued_at, module_id, content_type, content_encoding, message_id, " +
        "correlation_id, user_id, generation_id, properties, body";

    private const string Key =
        "shard = ? AND bucket = ? AND device = ? AND event_at = ? AND part = ? AND log_offset = ?";

    private const string Range =
        $"SELECT {Fields} FROM telemetry WHERE shard = ? AND bucket = ? AND device = ? " +
        "AND (event_at, part, log_offset) > (?, ?, ?) AND (event_at, part, log_offset) < (?, ?, ?)";

    public static readonly StoreStatement Insert = new(
        $"INSERT INTO telemetry(shard, bucket, device, {Fields}) " +
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?");

    public static readonly StoreStatement NewestFirst = new($"{Range} LIMIT ?");

    public static readonly StoreStatement OldestFirst = new(
        $"{Range} ORDER BY device DESC, event_at ASC, part ASC, log_offset ASC LIMIT ?");

    public static readonly StoreStatement Find = new($"SELECT log_offset FROM telemetry WHERE {Key}");

    public static readonly StoreStatement Delete = new($"DELETE FROM telemetry WHERE {Key}");

    public static readonly StoreStatement Keys = new(
        "SELECT shard, bucket, enqueued_at, device, event_at, part, log_offset FROM telemetry");

    public static long MicrosecondsOf(long milliseconds) => milliseconds * 1_000;

    /// <param name="ttlSeconds">0 keeps the row.</param>
    public static void AddRow(this BoundStatement insert, TelemetryPartition partition, TelemetryMessage row,
        int ttlSeconds)
    {
        insert.AddKey(partition, RowKey.Of(row));
        insert.Add(row.EnqueuedAtMs);
        insert.AddTextOrUnset(row.ModuleId);
        insert.AddTextOrUnset(row.ContentType);
        insert.AddTextOrUnset(row.ContentEncoding);
        insert.AddTextOrUnset(row.MessageId);
        insert.AddTextOrUnset(row.CorrelationId);
        insert.AddTextOrUnset(row.UserId);
        insert.AddTextOrUnset(row.GenerationId);
        if (row.Properties.Count == 0) insert.AddUnset();
        else insert.Add(row.Properties as Dictionary<string, string> ?? row.Properties.ToDictionary());
        insert.Add(row.Body.AsSpan()).Add(MicrosecondsOf(row.EnqueuedAtMs)).Add(ttlSeconds);
    }

    public static BoundStatement AddKey(this BoundStatement statement, TelemetryPartition partition, in RowKey key) =>
        statement.Add(partition.Shard).Add(partition.Bucket).Add(key.Device).Add(key.EventAtMs).Add(key.Part)
            .Add(key.Offset);

    public static TelemetryMessage Read(string deviceId, Row row) => new()
    {
        DeviceId = deviceId,
        EventAtMs = row.Get<long>(0),
        Partition = row.Get<int>(1),
        Offset = row.Get<long>(2),
        EnqueuedAtMs = row.Get<long>(3),
        ModuleId = row.Get<string?>(4),
        ContentType = row.Get<string?>(5),
        ContentEncoding = row.Get<string?>(6),
        MessageId = row.Get<string?>(7),
        CorrelationId = row.Get<string?>(8),
        UserId = row.Get<string?>(9),
        GenerationId = row.Get<string?>(10),
        Properties = row.IsNull(11) ? [] : row.Get<Dictionary<string, string>>(11),
        Body = row.Bytes(12).ToArray(),
    };

    // Unset writes no cell, where null would write a tombstone.
    private static void AddTextOrUnset(this BoundStatement insert, string? text)
    {
        if (text is null) insert.AddUnset();
        else insert.Add(text);
    }
}

/// <summary>A row's place: within a device by event time, then by where it stood in the log.</summary>
internal readonly record struct RowKey(string Device, long EventAtMs, int Part, long Offset)
{
    public static RowKey Of(TelemetryMessage row) => new(row.DeviceId, row.EventAtMs, row.Partition, row.Offset);
}
