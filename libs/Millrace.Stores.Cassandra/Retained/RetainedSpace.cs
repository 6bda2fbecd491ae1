using System.Text;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Retained;

namespace Millrace.Stores.Cassandra.Retained;

/// <summary>A space is one partition: its messages and what they are in all change together.</summary>
internal sealed class RetainedSpace(CassandraDatabase database)
{
    private static readonly StoreStatement InsertSpace =
        new("INSERT INTO retained_spaces(hub, space) VALUES('hub', ?)");
    private static readonly StoreStatement SelectTotals =
        new("SELECT version, messages, total_bytes FROM retained WHERE space = ? LIMIT 1");
    private static readonly StoreStatement SelectSizes =
        new("SELECT topic, bytes FROM retained WHERE space = ? AND topic IN ?");
    private static readonly StoreStatement Change = new("UPDATE retained SET version = ?, messages = ?, "
        + "total_bytes = ? WHERE space = ? IF version = ?");
    private static readonly StoreStatement Insert = new("INSERT INTO retained(space, topic, qos, bytes, retained_at, "
        + "expires_at, properties, payload) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement Delete = new("DELETE FROM retained WHERE space = ? AND topic = ?");
    private static readonly StoreStatement SelectExpiries =
        new("SELECT topic, bytes, expires_at FROM retained WHERE space = ?");

    public async ValueTask<RetainOutcome[]> SetAsync(
        string space, IReadOnlyList<RetainedMessage> messages, RetainedLimits limits, CancellationToken ct)
    {
        while (true)
        {
            // The totals first: what changes after they were read makes this fail and look again.
            var totals = await TotalsAsync(space, ct).ConfigureAwait(false);
            var sizes = await database.ListAsync(SelectSizes, row => (Topic(row), Bytes: row.Get<long>(1)), ct, space,
                messages.Select(message => Encoding.UTF8.GetBytes(message.Topic)).ToList()).ConfigureAwait(false);
            var change = new RetainedChange(totals, sizes.ToDictionary(s => s.Item1, s => s.Bytes), limits);
            RetainOutcome[] outcomes = [.. messages.Select(change.Take)];
            if (change.Changed.Count == 0) return outcomes;
            if (totals.Version is null) await database.RunAsync(InsertSpace, ct, space).ConfigureAwait(false);
            if (await TryChangeAsync(space, totals.Version, change.Totals, change.Changed, ct).ConfigureAwait(false))
                return outcomes;
        }
    }

    public async ValueTask<SpaceTotals> TotalsAsync(string space, CancellationToken ct) => await database.FirstAsync(
        SelectTotals, row => new SpaceTotals(row.Get<long?>(0), row.Get<long?>(1) ?? 0, row.Get<long?>(2) ?? 0), ct,
        space).ConfigureAwait(false);

    /// <summary>Removes what has expired, some at a time.</summary>
    public async ValueTask<long> ExpireAsync(string space, DateTimeOffset now, int most, CancellationToken ct)
    {
        for (var removed = 0L; ;)
        {
            var totals = await TotalsAsync(space, ct).ConfigureAwait(false);
            var all = await database.ListAsync(SelectExpiries,
                row => row.IsNull(0) ? default : (Topic: Topic(row), Bytes: row.Get<long>(1),
                    ExpiresAt: row.Get<DateTimeOffset?>(2)), ct, space).ConfigureAwait(false);
            var old = all.Where(one => one.ExpiresAt <= now).Take(most).ToList();
            if (old.Count == 0) return removed;
            var left = totals with
            {
                Messages = totals.Messages - old.Count,
                Bytes = totals.Bytes - old.Sum(one => one.Bytes),
            };
            var gone = old.ToDictionary(one => one.Topic, _ => (RetainedMessage?)null);
            if (await TryChangeAsync(space, totals.Version, left, gone, ct).ConfigureAwait(false))
                removed += old.Count;
        }
    }

    private async ValueTask<bool> TryChangeAsync(
        string space, long? version, SpaceTotals totals, IReadOnlyDictionary<string, RetainedMessage?> changed,
        CancellationToken ct)
    {
        var batch = BatchStatement.Rent();
        batch.Add(await database.BindAsync(Change, ct, (version ?? 0) + 1, totals.Messages, totals.Bytes, space,
            version).ConfigureAwait(false));
        foreach (var (topic, message) in changed)
        {
            var key = Encoding.UTF8.GetBytes(topic);
            batch.Add(message is null
                ? await database.BindAsync(Delete, ct, space, key).ConfigureAwait(false)
                : await database.BindAsync(Insert, ct, space, key, message.Qos, RetainedChange.Bytes(message),
                    message.RetainedAt, message.ExpiresAt, message.Properties, message.Payload)
                    .ConfigureAwait(false));
        }

        return (await database.RunAsync(batch, ct).ConfigureAwait(false)).Applied;
    }

    private static string Topic(Row row) => Encoding.UTF8.GetString(row.Bytes(0));
}
