using System.Text.Json;
using Millrace.Contracts;
using Millrace.Stores.Alerts;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Lists;

namespace Millrace.Stores.Cassandra.Alerts;

/// <summary>
/// Alerts stand in the list of all, in their device's and in their query's. What else is asked for is looked at row by
/// row.
/// </summary>
internal sealed class CassandraAlertStore : IAlertStore
{
    public const string Table = "alerts";
    private const string List = "alerts";
    private const string All = "all";

    private readonly TimeLists _lists;
    private readonly RowPlaces _rows;
    private readonly SinkPositions _positions;

    public CassandraAlertStore(CassandraDatabase database, StoreOptions options, TimeProvider time)
    {
        _lists = new TimeLists(database, Table, options.AlertRetention, time);
        _rows = new RowPlaces(database, Table, _lists);
        _positions = new SinkPositions(database, "alerts");
    }

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<AlertRow> rows, SinkPosition position, CancellationToken ct)
    {
        if (await _positions.IsPastAsync(partition, position, ct).ConfigureAwait(false)) return;
        await _rows.WriteAsync([.. rows.Select(Placed)], ct).ConfigureAwait(false);
        await _positions.SaveAsync(partition, position, ct).ConfigureAwait(false);
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        _positions.FindAsync(partition, ct);

    public async ValueTask<Page<AlertRow>> QueryAsync(AlertFilter filter, CancellationToken ct)
    {
        var page = new FilteredPage<AlertRow>(filter.Matches, filter.Limit, filter.LookedAtMax);
        var list = filter switch
        {
            { DeviceId: { } device } => OfDevice(device),
            { Query: { } query } => OfQuery(query),
            _ => All,
        };
        var entries = _lists.ReadAsync(list, TimePlace.Read(List, filter.Continuation),
            filter.From is { } from ? Times.Microseconds(from) : long.MinValue,
            filter.To is { } to ? Times.Microseconds(to) : long.MaxValue, filter.Limit, ct);
        await foreach (var entry in entries.ConfigureAwait(false))
        {
            if (page.IsFull) return page.End(hasMore: true, TokenAfter);
            var row = _lists.Read<AlertRow>(entry);
            if (page.Takes(row)) page.Add(row);
        }

        return page.End(hasMore: false, TokenAfter);
    }

    /// <summary>The nodes read all rows for it.</summary>
    public ValueTask<long> CountAsync(CancellationToken ct) => _lists.CountAsync(All, ct);

    /// <summary>They expire by themselves.</summary>
    public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) => new(0);

    private static string TokenAfter(AlertRow last) =>
        TimePlace.Token(List, new TimePlace(Times.Microseconds(last.At), last.RowId));

    private static PlacedRow Placed(AlertRow row)
    {
        List<string> lists = [All, OfQuery(row.Query)];
        if (row.DeviceId is { } device) lists.Add(OfDevice(device));
        return new PlacedRow(row.RowId, Times.Microseconds(row.At), lists, JsonSerializer.Serialize(row));
    }

    private static string OfDevice(string device) => $"device/{device}";

    private static string OfQuery(string query) => $"query/{query}";
}
