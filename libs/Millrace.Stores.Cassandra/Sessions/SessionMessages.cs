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
    private const string Fields = "number, topic, qos, retain, subscription_ids, properties, payload, expires_at, "
        + "bytes, received";

    private static readonly StoreStatement InsertMessage = new("INSERT INTO sessions(device, kind, client, number, "
        + "topic, qos, retain, subscription_ids, properties, payload, expires_at, bytes, received) "
        + "VALUES(?, 3, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement DeleteMessage =
        new("DELETE FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number = ?");
    private static readonly StoreStatement Select = new(
        $"SELECT {Fields} FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number >= ? LIMIT ?");
    private static readonly StoreStatement SelectSome =
        new($"SELECT {Fields} FROM sessions WHERE device = ? AND kind = 3 AND client = ? AND number IN ?");
    private static readonly StoreStatement SelectSizes = new("SELECT number, expires_at, bytes FROM sessions "
        + "WHERE device = ? AND kind = 3 AND client = ? AND number > ?");

    public static int BytesOf(OutboundMessage message) =>
        Encoding.UTF8.GetByteCount(message.Topic) + message.Properties.Length + message.Payload.Length;

    public ValueTask<BoundStatement> InsertAsync(
        SessionKey key, QueuedMessage queued, int bytes, CancellationToken ct)
    {
        var message = queued.Message;
        return database.BindAsync(InsertMessage, ct, key.DeviceId, key.ClientId, queued.Sequence, message.Topic,
            message.Qos, message.Retain, string.Join(' ', message.SubscriptionIds), message.Properties,
            message.Payload, message.ExpiresAt, bytes, queued.IsReceived);
    }

    public ValueTask<BoundStatement> DeleteAsync(SessionKey key, long sequence, CancellationToken ct) =>
        database.BindAsync(DeleteMessage, ct, key.DeviceId, key.ClientId, sequence);

    /// <summary>From a sequence on; rows come a few at a time: a reader may stop by their bytes.</summary>
    public async IAsyncEnumerable<(QueuedMessage Message, int Bytes)> ReadAsync(
        SessionKey key, long from, int max, [EnumeratorCancellation] CancellationToken ct)
    {
        var bound = await database.BindAsync(Select, ct, key.DeviceId, key.ClientId, from, max).ConfigureAwait(false);
        bound.PageSize = Math.Min(max, 32);
        await foreach (var row in database.ReadAsync(bound, ct).ConfigureAwait(false)) yield return Read(row);
    }

    public ValueTask<List<(QueuedMessage Message, int Bytes)>> FindAsync(
        SessionKey key, IReadOnlyList<long> sequences, CancellationToken ct) =>
        database.ListAsync(SelectSome, Read, ct, key.DeviceId, key.ClientId, sequences.Distinct().ToList());

    /// <summary>Those after a sequence that have expired.</summary>
    public async ValueTask<List<(long Sequence, int Bytes)>> ExpiredAsync(
        SessionKey key, long after, DateTimeOffset now, CancellationToken ct)
    {
        var all = await database.ListAsync(SelectSizes, row => (Sequence: row.Get<long>(0),
            ExpiresAt: row.Get<DateTimeOffset?>(1), Bytes: row.Get<int>(2)), ct, key.DeviceId, key.ClientId, after)
            .ConfigureAwait(false);
        return [.. all.Where(one => one.ExpiresAt <= now).Select(one => (one.Sequence, one.Bytes))];
    }

    private static (QueuedMessage, int) Read(Row row) => (new QueuedMessage(row.Get<long>(0),
        new OutboundMessage(row.Get<string>(1), row.Get<int>(2), row.Get<bool>(3), row.Get<byte[]>(5),
            row.Get<byte[]>(6), row.Get<DateTimeOffset?>(7), Source: null, Ids(row.Get<string>(4))),
        row.Get<bool>(9)), row.Get<int>(8));

    private static uint[] Ids(string text) => text.Length == 0
        ? []
        : [.. text.Split(' ').Select(id => uint.Parse(id, CultureInfo.InvariantCulture))];
}
