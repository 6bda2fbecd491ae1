using System.Text;
using Microsoft.Data.Sqlite;
using Millrace.Stores.Retained;

namespace Millrace.Stores.Sqlite;

/// <summary>Topics are kept as bytes, so that a prefix is a range whatever characters come after it.</summary>
internal sealed class SqliteRetainedStore(SqliteDatabase database) : IRetainedStore
{
    private const string List = "retained";
    private const int ChunkRows = 1_000;
    private const string Select =
        "SELECT space, topic, qos, properties, payload, retained_at, expires_at FROM retained";

    public ValueTask<IReadOnlyList<RetainOutcome>> SetAsync(
        IReadOnlyList<RetainedMessage> messages, RetainedLimits limits, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyList<RetainOutcome>>(
            session => [.. messages.Select(message => Set(session, message, limits))], ct);

    public ValueTask<RetainedMessage?> FindAsync(
        string space, string topic, DateTimeOffset now, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            $"{Select} WHERE space = ?1 AND topic = ?2 AND coalesce(expires_at > ?3, 1)", Read, space,
            Encoding.UTF8.GetBytes(topic), now.ToUnixTimeMilliseconds()), ct);

    public ValueTask<Page<RetainedMessage>> ListAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation, CancellationToken ct) =>
        ListAsync(Select, Read, message => message.Topic, space, topicPrefix, now, limit, continuation, ct);

    public ValueTask<Page<string>> ListTopicsAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation, CancellationToken ct) =>
        ListAsync("SELECT topic FROM retained", row => Encoding.UTF8.GetString(row.Bytes(0)), topic => topic, space,
            topicPrefix, now, limit, continuation, ct);

    public ValueTask<long> CountAsync(CancellationToken ct) => database.ReadAsync(
        session => session.Scalar<long>("SELECT coalesce(sum(messages), 0) FROM retained_totals"), ct);

    public async ValueTask<long> ExpireAsync(DateTimeOffset now, CancellationToken ct)
    {
        for (var removed = 0L; ;)
        {
            var count = await database.WriteAsync(session =>
            {
                var rows = session.List("DELETE FROM retained WHERE id IN (SELECT id FROM retained WHERE " +
                    "expires_at <= ?1 LIMIT ?2) RETURNING space, bytes", row => (row.GetString(0), row.GetInt64(1)),
                    now.ToUnixTimeMilliseconds(), ChunkRows);
                foreach (var (space, bytes) in rows) AddTotals(session, space, -1, -bytes);
                return rows.Count;
            }, ct);
            removed += count;
            if (count < ChunkRows) return removed;
        }
    }

    private ValueTask<Page<T>> ListAsync<T>(
        string select, Func<SqliteDataReader, T> read, Func<T, string> topicOf, string space, string topicPrefix,
        DateTimeOffset now, int limit, string? continuation, CancellationToken ct)
    {
        var prefix = Encoding.UTF8.GetBytes(topicPrefix);
        var after = continuation is null ? [] : ReadTopic(continuation);
        return database.ReadAsync(session =>
        {
            // No byte of UTF-8 is 255: it ends the range.
            var rows = session.List($"{select} WHERE space = ?1 AND topic > ?2 AND topic >= ?3 AND topic < ?4 " +
                "AND coalesce(expires_at > ?5, 1) ORDER BY topic LIMIT ?6", read, space, after, prefix,
                (byte[])[.. prefix, 255], now.ToUnixTimeMilliseconds(), Columns.OneMore(limit));
            return Columns.Cut(rows, limit, last => ContinuationToken.Write(List,
                Convert.ToHexString(Encoding.UTF8.GetBytes(topicOf(last)))));
        }, ct);
    }

    private static RetainOutcome Set(SqliteSession session, RetainedMessage message, RetainedLimits limits)
    {
        var topic = Encoding.UTF8.GetBytes(message.Topic);
        var bytes = (long)topic.Length + message.Properties.Length + message.Payload.Length;
        var old = session.Scalar<long>(
            "SELECT bytes FROM retained WHERE space = ?1 AND topic = ?2", message.Space, topic);
        var oldCount = old == 0 ? 0 : 1;
        if (message.Payload.Length == 0)
        {
            session.Run("DELETE FROM retained WHERE space = ?1 AND topic = ?2", message.Space, topic);
            AddTotals(session, message.Space, -oldCount, -old);
            return RetainOutcome.Cleared;
        }

        var fits = session.Scalar<long?>("SELECT messages + ?2 <= ?3 AND bytes + ?4 <= ?5 FROM retained_totals " +
            "WHERE space = ?1", message.Space, 1 - oldCount, limits.MessagesMax, bytes - old, limits.BytesMax);
        if (fits == 0 || (fits is null && (limits.MessagesMax < 1 || bytes > limits.BytesMax)))
            return RetainOutcome.Full;
        session.Run("INSERT OR REPLACE INTO retained(space, topic, qos, bytes, retained_at, expires_at, properties, " +
            "payload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", message.Space, topic, message.Qos, bytes,
            message.RetainedAt.ToUnixTimeMilliseconds(), message.ExpiresAt?.ToUnixTimeMilliseconds(),
            message.Properties, message.Payload);
        AddTotals(session, message.Space, 1 - oldCount, bytes - old);
        return RetainOutcome.Retained;
    }

    private static void AddTotals(SqliteSession session, string space, long messages, long bytes) => session.Run(
        "INSERT INTO retained_totals VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET messages = messages + ?2, " +
        "bytes = bytes + ?3", space, messages, bytes);

    private static byte[] ReadTopic(string continuation)
    {
        try
        {
            return Convert.FromHexString(ContinuationToken.Read(List, continuation, 1)[0]);
        }
        catch (FormatException)
        {
            throw StoreErrors.ContinuationInvalid.With(continuation).AsException();
        }
    }

    private static RetainedMessage Read(SqliteDataReader row) => new(row.GetString(0),
        Encoding.UTF8.GetString(row.Bytes(1)), row.GetInt32(2), row.Bytes(3), row.Bytes(4), row.Time(5),
        row.TimeOrNull(6));
}
