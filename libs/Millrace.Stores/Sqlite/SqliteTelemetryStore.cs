using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.Telemetry;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteTelemetryStore(SqliteDatabase database, StoreOptions options) : ITelemetryStore
{
    private const string Sink = "telemetry";
    private const int ExpireChunk = 5_000;
    private const string Fields =
        "event_at, part, log_offset, enqueued_at, module_id, content_type, content_encoding, message_id, " +
        "correlation_id, user_id, generation_id, properties, body";

    private const string Insert =
        $"INSERT OR IGNORE INTO telemetry(device, {Fields}) " +
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

    private const string UpsertLatest =
        $"INSERT INTO latest(device, {Fields}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) " +
        "ON CONFLICT(device) DO UPDATE SET event_at = excluded.event_at, part = excluded.part, " +
        "log_offset = excluded.log_offset, enqueued_at = excluded.enqueued_at, module_id = excluded.module_id, " +
        "content_type = excluded.content_type, content_encoding = excluded.content_encoding, " +
        "message_id = excluded.message_id, correlation_id = excluded.correlation_id, user_id = excluded.user_id, " +
        "generation_id = excluded.generation_id, properties = excluded.properties, body = excluded.body " +
        "WHERE (excluded.event_at, excluded.log_offset) > (latest.event_at, latest.log_offset)";

    // Only the writer uses it, within a transaction; an id is never changed or removed, so it need not be let go of.
    private readonly Dictionary<string, long> _deviceNumbers = [];

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, SinkPosition position, CancellationToken ct)
    {
        foreach (var row in rows)
        {
            if (row.Body.Length > options.RowBytesMax.Bytes)
                throw StoreErrors.RowRefused.With($"{row.DeviceId}, offset {row.Offset}").AsException();
        }

        // Rows of a device next to one another touch each page of the index once.
        var sorted = rows.ToArray();
        Array.Sort(sorted, ByDeviceAndTime);
        try
        {
            await database.WriteAsync(session =>
            {
                for (var i = 0; i < sorted.Length; i++)
                {
                    var device = DeviceNumber(session, sorted[i].DeviceId);
                    Store(session, Insert, device, sorted[i]);
                    if (i + 1 == sorted.Length || sorted[i + 1].DeviceId != sorted[i].DeviceId)
                        Store(session, UpsertLatest, device, sorted[i]);
                }

                SinkPositions.Save(session, Sink, partition, position);
            }, ct);
        }
        catch
        {
            // Numbers that the transaction gave went away with it.
            _deviceNumbers.Clear();
            throw;
        }
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        SinkPositions.FindAsync(database, Sink, partition, ct);

    public ValueTask<Page<TelemetryMessage>> QueryAsync(TelemetryRange range, CancellationToken ct)
    {
        var (order, beyond) = range.OldestFirst ? ("ASC", ">") : ("DESC", "<");
        var sql = $"SELECT {Fields} FROM telemetry WHERE device = (SELECT id FROM devices WHERE name = ?1) " +
            $"AND event_at >= ?2 AND event_at < ?3 AND (event_at, part, log_offset) {beyond} (?4, ?5, ?6) " +
            $"ORDER BY event_at {order}, part {order}, log_offset {order} LIMIT ?7";
        var edge = range.OldestFirst ? long.MinValue : long.MaxValue;
        var (eventAt, part, offset) = (edge, edge, edge);
        if (range.Continuation is { } token)
        {
            var key = ContinuationToken.Read(token, 3);
            eventAt = ContinuationToken.Number(key[0], token);
            part = ContinuationToken.Number(key[1], token);
            offset = ContinuationToken.Number(key[2], token);
        }

        return database.ReadAsync(session =>
        {
            var rows = session.List(sql, row => Read(range.DeviceId, row), range.DeviceId,
                range.FromMs ?? long.MinValue, range.ToMs ?? long.MaxValue, eventAt, part, offset, range.Limit + 1L);
            return Columns.Cut(rows, range.Limit,
                last => ContinuationToken.Write(last.EventAtMs, last.Partition, last.Offset));
        }, ct);
    }

    public ValueTask<TelemetryMessage?> LatestAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            $"SELECT {Fields} FROM latest WHERE device = (SELECT id FROM devices WHERE name = ?1)",
            row => Read(deviceId, row), deviceId), ct);

    public async ValueTask<long> ExpireAsync(long enqueuedBeforeMs, CancellationToken ct)
    {
        // Rows lie about in the order in which they were enqueued, so the oldest ones are at the front.
        var removed = 0L;
        for (var more = true; more;)
        {
            var count = await database.WriteAsync(session => session.Run(
                "DELETE FROM telemetry WHERE rowid IN (SELECT rowid FROM telemetry ORDER BY rowid LIMIT ?2) " +
                "AND enqueued_at < ?1", enqueuedBeforeMs, ExpireChunk), ct);
            removed += count;
            more = count > 0;
        }

        return removed;
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM telemetry"), ct);

    private static int ByDeviceAndTime(TelemetryMessage a, TelemetryMessage b)
    {
        var byDevice = string.CompareOrdinal(a.DeviceId, b.DeviceId);
        if (byDevice != 0) return byDevice;
        var byTime = a.EventAtMs.CompareTo(b.EventAtMs);
        return byTime != 0 ? byTime : a.Offset.CompareTo(b.Offset);
    }

    private static void Store(SqliteSession session, string sql, long device, TelemetryMessage m) =>
        session.Run(sql, device, m.EventAtMs, m.Partition, m.Offset, m.EnqueuedAtMs, m.ModuleId, m.ContentType,
            m.ContentEncoding, m.MessageId, m.CorrelationId, m.UserId, m.GenerationId,
            m.Properties.Count == 0 ? null : JsonSerializer.Serialize(m.Properties), m.Body);

    private static TelemetryMessage Read(string deviceId, SqliteDataReader row) => new()
    {
        DeviceId = deviceId,
        EventAtMs = row.GetInt64(0),
        Partition = row.GetInt32(1),
        Offset = row.GetInt64(2),
        EnqueuedAtMs = row.GetInt64(3),
        ModuleId = row.TextOrNull(4),
        ContentType = row.TextOrNull(5),
        ContentEncoding = row.TextOrNull(6),
        MessageId = row.TextOrNull(7),
        CorrelationId = row.TextOrNull(8),
        UserId = row.TextOrNull(9),
        GenerationId = row.TextOrNull(10),
        Properties = row.TextOrNull(11) is { } json ? JsonSerializer.Deserialize<Dictionary<string, string>>(json)! : [],
        Body = row.Bytes(12),
    };

    private long DeviceNumber(SqliteSession session, string deviceId)
    {
        if (_deviceNumbers.TryGetValue(deviceId, out var number)) return number;
        session.Run("INSERT OR IGNORE INTO devices(name) VALUES(?1)", deviceId);
        number = session.Scalar<long>("SELECT id FROM devices WHERE name = ?1", deviceId);
        _deviceNumbers.Add(deviceId, number);
        return number;
    }
}
