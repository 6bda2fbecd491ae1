using System.Text;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Retained;

namespace Millrace.Stores.Cassandra.Retained;

/// <summary>
/// Messages are changed by compare-and-set on their space. Topics are kept as bytes, whose order is the table's.
/// </summary>
internal sealed class CassandraRetainedStore(CassandraDatabase database) : IRetainedStore
{
    private const string List = "retained";
    private const int RowsOfRead = 1_000;
    private const string Fields = "space, topic, qos, properties, payload, retained_at, expires_at";

    private static readonly StoreStatement SelectSpaces =
        new("SELECT space FROM retained_spaces WHERE hub = 'hub'");
    private static readonly StoreStatement Select =
        new($"SELECT {Fields} FROM retained WHERE space = ? AND topic = ?");
    private static readonly StoreStatement SelectFrom =
        new($"SELECT {Fields} FROM retained WHERE space = ? AND topic >= ? AND topic < ?");
    private static readonly StoreStatement SelectAfter =
        new($"SELECT {Fields} FROM retained WHERE space = ? AND topic > ? AND topic < ?");
    private static readonly StoreStatement TopicsFrom =
        new("SELECT topic, expires_at FROM retained WHERE space = ? AND topic >= ? AND topic < ?");
    private static readonly StoreStatement TopicsAfter =
        new("SELECT topic, expires_at FROM retained WHERE space = ? AND topic > ? AND topic < ?");

    private readonly RetainedSpace _spaces = new(database);

    public async ValueTask<IReadOnlyList<RetainOutcome>> SetAsync(
        IReadOnlyList<RetainedMessage> messages, RetainedLimits limits, CancellationToken ct)
    {
        var outcomes = new RetainOutcome[messages.Count];
        foreach (var space in Enumerable.Range(0, messages.Count).GroupBy(i => messages[i].Space))
        {
            foreach (var step in Steps.Of(space, i => RetainedChange.Bytes(messages[i])))
            {
                var some = await _spaces.SetAsync(space.Key, step.ConvertAll(i => messages[i]), limits, ct)
                    .ConfigureAwait(false);
                for (var i = 0; i < step.Count; i++) outcomes[step[i]] = some[i];
            }
        }

        return outcomes;
    }

    public async ValueTask<RetainedMessage?> FindAsync(
        string space, string topic, DateTimeOffset now, CancellationToken ct)
    {
        var found = await database.FirstAsync(Select, Read, ct, space, Encoding.UTF8.GetBytes(topic))
            .ConfigureAwait(false);
        return found?.ExpiresAt <= now ? null : found;
    }

    public async ValueTask<Page<RetainedMessage>> ListAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation, CancellationToken ct)
    {
        var bound = await BindAsync(SelectFrom, SelectAfter, space, topicPrefix, limit, continuation, ct)
            .ConfigureAwait(false);
        var rows = database.ReadAsync(bound, Read, ct, space).Where(message => !(message.ExpiresAt <= now));
        return await Paging.TakeAsync(rows, limit, last => TokenAfter(last.Topic), ct).ConfigureAwait(false);
    }

    public async ValueTask<Page<string>> ListTopicsAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation, CancellationToken ct)
    {
        var bound = await BindAsync(TopicsFrom, TopicsAfter, space, topicPrefix, limit, continuation, ct)
            .ConfigureAwait(false);
        var topics = database.ReadAsync(bound,
                row => (Topic: Encoding.UTF8.GetString(row.Bytes(0)), ExpiresAt: row.Get<DateTimeOffset?>(1)),
                ct, space)
            .Where(each => !(each.ExpiresAt <= now)).Select(each => each.Topic);
        return await Paging.TakeAsync(topics, limit, TokenAfter, ct).ConfigureAwait(false);
    }

    public async ValueTask<long> CountAsync(CancellationToken ct)
    {
        var totals = await InFlight.SelectAsync(await SpacesAsync(ct).ConfigureAwait(false), ct, _spaces.TotalsAsync)
            .ConfigureAwait(false);
        return totals.Sum(space => space.Messages);
    }

    public async ValueTask<long> ExpireAsync(DateTimeOffset now, CancellationToken ct)
    {
        var removed = 0L;
        foreach (var space in await SpacesAsync(ct).ConfigureAwait(false))
            removed += await _spaces.ExpireAsync(space, now, RowsOfRead, ct).ConfigureAwait(false);
        return removed;
    }

    private async ValueTask<BoundStatement> BindAsync(
        StoreStatement from, StoreStatement behind, string space, string topicPrefix, int limit, string? continuation,
        CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        var prefix = Encoding.UTF8.GetBytes(topicPrefix);
        var after = continuation is null ? null : ReadTopic(continuation);
        var isAfter = after is not null && after.AsSpan().SequenceCompareTo(prefix) >= 0;

        // No byte of UTF-8 is 255: it ends the range.
        var bound = await database.BindAsync(isAfter ? behind : from, ct, space, isAfter ? after : prefix,
            (byte[])[.. prefix, 255]).ConfigureAwait(false);
        bound.PageSize = Math.Min(limit + 1, RowsOfRead);
        return bound;
    }

    private static string TokenAfter(string topic) =>
        ContinuationToken.Write(List, Convert.ToHexString(Encoding.UTF8.GetBytes(topic)));

    private ValueTask<List<string>> SpacesAsync(CancellationToken ct) =>
        database.ListAsync(SelectSpaces, row => row.Get<string>(0), ct);

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

    private static RetainedMessage Read(Row row) => new(row.Get<string>(0), Encoding.UTF8.GetString(row.Bytes(1)),
        row.Get<int>(2), row.Get<byte[]>(3), row.Get<byte[]>(4), row.Get<DateTimeOffset>(5),
        row.Get<DateTimeOffset?>(6));
}
