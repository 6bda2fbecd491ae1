using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Lists;

/// <summary>
/// Rows that are upserted by an id and stand in several lists: where each stood last is kept, so that one whose time
/// or lists are others now leaves its old places. A row that comes again as it was costs the same writes again.
/// </summary>
internal sealed class RowPlaces(CassandraDatabase database, string table, TimeLists lists)
{
    private readonly StoreStatement _select = new($"SELECT at, lists FROM {table}_places WHERE id = ?");
    private readonly StoreStatement _insert =
        new($"INSERT INTO {table}_places(id, at, lists) VALUES(?, ?, ?) USING TTL ?");

    public static string Table(string table) =>
        $"CREATE TABLE IF NOT EXISTS {table}_places(id text PRIMARY KEY, at bigint, lists list<text>)";

    /// <summary>The rows are in their new places before they leave the old ones, and known there at last.</summary>
    public async Task WriteAsync(IReadOnlyCollection<PlacedRow> rows, CancellationToken ct)
    {
        var news = rows.Where(row => lists.Ttl(row.At) is not null).GroupBy(row => row.Id).Select(g => g.Last())
            .ToList();
        var old = rows.Count(row => lists.Ttl(row.At) is null);
        if (old > 0) StoreMetrics.Expired.Add(old, new KeyValuePair<string, object?>("kind", table));
        var places = await InFlight.SelectAsync(news, ct, (row, token) =>
            database.FirstAsync(_select, Read, token, row.Id)).ConfigureAwait(false);
        await lists.WriteAsync(news.SelectMany(row => row.Lists.Select(list =>
            new TimeEntry(list, row.At, row.Id, row.Row))), ct).ConfigureAwait(false);
        await InFlight.ForEachAsync(news.Zip(places), ct, async (pair, token) =>
        {
            var (now, place) = pair;
            if (place is not null)
            {
                if (place.At == now.At && place.Lists.SequenceEqual(now.Lists)) return;
                foreach (var list in place.At == now.At ? place.Lists.Except(now.Lists) : place.Lists)
                    await lists.RemoveAsync(list, place.At, now.Id, token).ConfigureAwait(false);
            }

            await database.RunAsync(_insert, token, now.Id, now.At, now.Lists, lists.Ttl(now.At) ?? 1)
                .ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static Place Read(Row row) => new(row.Get<long>(0), row.Get<List<string>>(1));

    private sealed record Place(long At, List<string> Lists);
}

/// <param name="At">Microseconds since 1970.</param>
/// <param name="Row">What the store keeps, as JSON.</param>
internal sealed record PlacedRow(string Id, long At, List<string> Lists, string Row);
