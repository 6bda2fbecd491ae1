using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.Telemetry;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteTelemetryStore(SqliteDatabase database, StoreOptions options) : ITelemetryStore
{
    private const string Sink = "telemetry";
    private const string List = "telemetry";
    private const int DeviceNumbersMax = 200_000;
    private const string Fields =
        "event_at, part, log_offset, enqueued_at, module_id, content_type, content_encoding, message_id, " +
        "correlation_id, user_id, generation_id, properties, body";

    // Told by its key, so that no other fault of a row could pass for a row that is there already.
    private const string Insert =
        $"INSERT INTO telemetry(device, {Fields}) " +
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) " +
        "ON CONFLICT(device, event_at, part, log_offset) DO NOTHING";

    private const string DeleteLatest =
        "DELETE FROM latest WHERE device = (SELECT id FROM devices WHERE name = ?1) " +
        "AND (enqueued_at <= ?3 OR generation_id = ?2)";

    private static readonly string UpsertLatest =
        $"INSERT INTO latest(device, {Fields}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 " +
        $"WHERE {DeviceEnds.IsNone("?1", "?5", "?12")} " +
        "ON CONFLICT(device) DO UPDATE SET event_at = excluded.event_at, part = excluded.part, " +
        "log_offset = excluded.log_offset, enqueued_at = excluded.enqueued_at, module_id = excluded.module_id, " +
        "content_type = excluded.content_type, content_encoding = excluded.content_encoding, " +
        "message_id = excluded.message_id, correlation_id = excluded.correlation_id, user_id = excluded.user_id, " +
        "generation_id = excluded.generation_id, properties = excluded.properties, body = excluded.body " +
        "WHERE (excluded.event_at, excluded.log_offset) > (latest.event_at, latest.log_offset)";

    // A device keeps its number for good, so that what a commit made known stays true.
    private readonly ConcurrentDictionary<string, long> _deviceNumbers = [];

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, SinkPosition position, CancellationToken ct)
    {
        foreach (var row in rows)
        {
            if (row.Body.Length <= options.RowBytesMax.Bytes) continue;
            StoreMetrics.Refused.Add(1, new KeyValuePair<string, object?>("reason", "too-large"));
            var detail = $"Its body has {row.Body.Length} bytes; at most {options.RowBytesMax} are taken.";
            throw StoreErrors.RowRefused.With($"{row.DeviceId}, offset {row.Offset}", detail).AsException();
        }

        var made = new Dictionary<string, long>();
        await database.WriteAsync(session =>
        {
            Store(session, rows, made);
            SinkPositions.TrySave(session, Sink, partition, position);
        }, ct);
        if (_deviceNumbers.Count > DeviceNumbersMax) _deviceNumbers.Clear();
        foreach (var (device, number) in made) _deviceNumbers[device] = number;
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
            var key = ContinuationToken.Read(List, token, 3);
            eventAt = ContinuationToken.Number(key[0], token);
            part = ContinuationToken.Number(key[1], token);
            offset = ContinuationToken.Number(key[2], token);
        }

        return database.ReadAsync(session =>
        {
            var rows = session.List(sql, row => Read(range.DeviceId, row), range.DeviceId,
                range.FromMs ?? long.MinValue, range.ToMs ?? long.MaxValue, eventAt, part, offset,
                Columns.OneMore(range.Limit));
            return Columns.Cut(rows, range.Limit,
                last => ContinuationToken.Write(List, last.EventAtMs, last.Partition, last.Offset));
        }, ct);
    }

    public ValueTask<TelemetryMessage?> LatestAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            $"SELECT {Fields} FROM latest WHERE device = (SELECT id FROM devices WHERE name = ?1)",
            row => Read(deviceId, row), deviceId), ct);

    public ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            foreach (var end in ends)
            {
                DeviceEnds.Keep(session, end);
                session.Run(DeleteLatest, end.DeviceId, DeviceEnds.GenerationOf(end), end.AtMs);
            }
        }, ct);

    public async ValueTask<long> ExpireAsync(long enqueuedBeforeMs, CancellationToken ct)
    {
        for (var removed = 0L; ;)
        {
            var count = await database.WriteAsync(session => TelemetryBlocks.Expire(session, enqueuedBeforeMs), ct);
            if (count is null) return removed;
            removed += count.Value;
        }
    }

    public ValueTask<long> CountAsync(CancellationToken ct) => database.ReadAsync(TelemetryBlocks.Count, ct);

    private void Store(SqliteSession session, IReadOnlyList<TelemetryMessage> rows, Dictionary<string, long> made)
    {
        // Rows of a device next to one another touch each page of the index once.
        var order = new RowKey[rows.Count];
        for (var i = 0; i < order.Length; i++)
            order[i] = new RowKey(DeviceNumber(session, rows[i].DeviceId, made), rows[i].EventAtMs, rows[i].Offset, i);
        Array.Sort(order);

        var (insert, upsertLatest) = (session.Statement(Insert), session.Statement(UpsertLatest));
        var blocks = new TelemetryBlocks(session);
        for (var i = 0; i < order.Length; i++)
        {
            var row = rows[order[i].Index];
            if (Store(insert, order[i].Device, row) == 1) blocks.Add(insert.LastRowId, row.EnqueuedAtMs);

            // The latest of a device that was deleted since does not hide what one has that was made anew.
            if (i + 1 == order.Length || order[i + 1].Device != order[i].Device
                || rows[order[i + 1].Index].GenerationId != row.GenerationId)
                Store(upsertLatest, order[i].Device, row);
        }

        blocks.Flush();
    }

    private static int Store(SqliteStatement statement, long device, TelemetryMessage m)
    {
        statement.Bind(1, device);
        statement.Bind(2, m.EventAtMs);
        statement.Bind(3, m.Partition);
        statement.Bind(4, m.Offset);
        statement.Bind(5, m.EnqueuedAtMs);
        statement.Bind(6, m.ModuleId);
        statement.Bind(7, m.ContentType);
        statement.Bind(8, m.ContentEncoding);
        statement.Bind(9, m.MessageId);
        statement.Bind(10, m.CorrelationId);
        statement.Bind(11, m.UserId);
        statement.Bind(12, m.GenerationId);
        statement.Bind(13, m.Properties.Count == 0 ? null : JsonSerializer.Serialize(m.Properties));
        statement.Bind(14, m.Body.AsSpan());
        return statement.Run();
    }

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
        Properties = row.TextOrNull(11) is { } json
            ? JsonSerializer.Deserialize<Dictionary<string, string>>(json)!
            : [],
        Body = row.Bytes(12),
    };

    private long DeviceNumber(SqliteSession session, string deviceId, Dictionary<string, long> made)
    {
        if (_deviceNumbers.TryGetValue(deviceId, out var number) || made.TryGetValue(deviceId, out number))
            return number;
        session.Run("INSERT INTO devices(name) VALUES(?1) ON CONFLICT DO NOTHING", deviceId);
        number = session.Scalar<long>("SELECT id FROM devices WHERE name = ?1", deviceId);
        made.Add(deviceId, number);
        return number;
    }

    private readonly record struct RowKey(long Device, long EventAtMs, long Offset, int Index) : IComparable<RowKey>
    {
        public int CompareTo(RowKey other)
        {
            var byDevice = Device.CompareTo(other.Device);
            if (byDevice != 0) return byDevice;
            var byTime = EventAtMs.CompareTo(other.EventAtMs);
            return byTime != 0 ? byTime : Offset.CompareTo(other.Offset);
        }
    }
}
