using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>The messages of a session, each a row of its device's partition.</summary>
internal sealed class SessionMessages(CassandraDatabase database)
{
    /// <summary>
    /// Numbers of one read. What has gone of them is read over, and a node fails a read over 100,000 deletions.
    /// </summary>
    private const int NumbersOfRead = 10_000;

    private const string Fields = "number, topic, qos, retain, subscription_ids, properties, payload, expires_at, "
        + "bytes, received, share";

    private static readonly StoreStatement InsertMessage = new("INSERT INTO sessions(device, kind, client, number, "
        + "topic, qos, retain, subscription_ids, properties, payload, expires_at, bytes, received, share) "
        + "VALUES(?, 3, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement DeleteMessage =
        new("DELETE FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number = ?");
    private static readonly StoreStatement DeleteMessagesBefore =
        new("DELETE FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number < ?");
    private static readonly StoreStatement Select = new($"SELECT {Fields} FROM sessions "
        + "WHERE device = ? AND kind = 3 AND client = ? AND number >= ? AND number <= ? LIMIT ?");
    private static readonly StoreStatement SelectSome =
        new($"SELECT {Fields} FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number IN ?");
    private static readonly StoreStatement SelectSizes = new("SELECT number, expires_at, bytes FROM sessions "
        + "WHERE device = ? AND kind = 3 AND client = ? AND number >= ? AND number <= ?");
    private static readonly StoreStatement SelectFirst = new("SELECT number FROM sessions "
        + "WHERE device = ? AND kind = 3 AND client = ? AND number >= ? AND number <= ? LIMIT 1");

    public static int BytesOf(OutboundMessage message) =>
        Encoding.UTF8.GetByteCount(message.Topic) + message.Properties.Length + message.Payload.Length;

    public ValueTask<BoundStatement> InsertAsync(
        SessionKey key, QueuedMessage queued, int bytes, CancellationToken ct)
    {
        var message = queued.Message;
        return database.BindAsync(InsertMessage, ct, key.DeviceId, key.ClientId, queued.Sequence, message.Topic,
            message.Qos, message.Retain, string.Join(' ', message.SubscriptionIds), message.Properties,
            message.Payload, message.ExpiresAt, bytes, queued.IsReceived, message.Share);
    }

    public ValueTask<BoundStatement> DeleteAsync(SessionKey key, long sequence, CancellationToken ct) =>
        database.BindAsync(DeleteMessage, ct, key.DeviceId, key.ClientId, sequence);

    /// <summary>All before one at once: what they were costs nobody any more who reads from there on.</summary>
    public ValueTask<BoundStatement> DeleteBeforeAsync(SessionKey key, long sequence, CancellationToken ct) =>
        database.BindAsync(DeleteMessagesBefore, ct, key.DeviceId, key.ClientId, sequence);

    /// <summary>From one sequence to another; rows come a few at a time: a reader may stop by their bytes.</summary>
    public async IAsyncEnumerable<(QueuedMessage Message, int Bytes)> ReadAsync(
        SessionKey key, long from, long to, int max, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var (first, last) in Spans(from, to))
        {
            var bound = await database.BindAsync(Select, ct, key.DeviceId, key.ClientId, first, last, max)
                .ConfigureAwait(false);
            bound.PageSize = Math.Min(max, 32);
            var messages = database.ReadAsync(bound, Read, ct, key.DeviceId, key.ClientId);
            await foreach (var message in messages.ConfigureAwait(false))
            {
                yield return message;
                if (--max == 0) yield break;
            }
        }
    }

    /// <summary>The first that is there, from one sequence to another; the one after it when none is.</summary>
    public async ValueTask<long> FirstAsync(SessionKey key, long from, long to, CancellationToken ct)
    {
        foreach (var (first, last) in Spans(from, to))
        {
            var found = await database.FirstAsync(SelectFirst, row => (long?)row.Get<long>(0), ct, key.DeviceId,
                key.ClientId, first, last).ConfigureAwait(false);
            if (found is { } number) return number;
        }

        return to + 1;
    }

    public ValueTask<List<(QueuedMessage Message, int Bytes)>> FindAsync(
        SessionKey key, IReadOnlyList<long> sequences, CancellationToken ct) =>
        database.ListAsync(SelectSome, Read, ct, key.DeviceId, key.ClientId, sequences.Distinct().ToList());

    /// <summary>Those from one sequence to another that have expired.</summary>
    public async ValueTask<List<(long Sequence, int Bytes)>> ExpiredAsync(
        SessionKey key, long from, long to, DateTimeOffset now, CancellationToken ct)
    {
        var expired = new List<(long, int)>();
        foreach (var (first, last) in Spans(from, to))
        {
            var some = await database.ListAsync(SelectSizes, row => (Sequence: row.Get<long>(0),
                ExpiresAt: row.Get<DateTimeOffset?>(1), Bytes: row.Get<int>(2)), ct, key.DeviceId, key.ClientId,
                first, last).ConfigureAwait(false);
            expired.AddRange(some.Where(one => one.ExpiresAt <= now).Select(one => (one.Sequence, one.Bytes)));
        }

        return expired;
    }

    private static IEnumerable<(long First, long Last)> Spans(long from, long to)
    {
        for (; from <= to; from += NumbersOfRead) yield return (from, Math.Min(from + NumbersOfRead - 1, to));
    }

    private static (QueuedMessage, int) Read(Row row) => (new QueuedMessage(row.Get<long>(0),
        new OutboundMessage(row.Get<string>(1), row.Get<int>(2), row.Get<bool>(3), row.Get<byte[]>(5),
            row.Get<byte[]>(6), row.Get<DateTimeOffset?>(7), Source: null, Ids(row.Get<string>(4)))
        {
            Share = row.Get<string?>(10),
        }, row.Get<bool>(9)), row.Get<int>(8));

    private static uint[] Ids(string text) => text.Length == 0
        ? []
        : [.. text.Split(' ').Select(id => uint.Parse(id, CultureInfo.InvariantCulture))];
}
