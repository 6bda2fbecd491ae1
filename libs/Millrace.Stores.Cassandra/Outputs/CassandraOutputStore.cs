using System.Text.Json;
using Millrace.Contracts;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Lists;
using Millrace.Stores.Outputs;

namespace Millrace.Stores.Cassandra.Outputs;

internal sealed class CassandraOutputStore : IOutputStore
{
    public const string Table = "outputs";
    private const string List = "outputs";

    private readonly TimeLists _lists;
    private readonly RowPlaces _rows;
    private readonly SinkPositions _positions;

    public CassandraOutputStore(CassandraDatabase database, StoreOptions options, TimeProvider time)
    {
        _lists = new TimeLists(database, Table, options.OutputRetention, time);
        _rows = new RowPlaces(database, Table, _lists);
        _positions = new SinkPositions(database, "outputs");
    }

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<OutputRow> rows, SinkPosition position, CancellationToken ct)
    {
        if (await _positions.IsPastAsync(partition, position, ct).ConfigureAwait(false)) return;
        await _rows.WriteAsync([.. rows.Select(row => new PlacedRow(
            row.RowId, Times.Microseconds(row.At), [row.Output], JsonSerializer.Serialize(row)))], ct)
            .ConfigureAwait(false);
        await _positions.SaveAsync(partition, position, ct).ConfigureAwait(false);
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        _positions.FindAsync(partition, ct);

    public ValueTask<Page<OutputRow>> QueryAsync(
        string output, DateTimeOffset? from, DateTimeOffset? to, int limit, string? continuation, CancellationToken ct)
    {
        var rows = _lists.ReadAsync(output, TimePlace.Read(List, continuation),
            from is { } f ? Times.Microseconds(f) : long.MinValue,
            to is { } t ? Times.Microseconds(t) : long.MaxValue, limit, ct);
        return Paging.TakeAsync(rows.Select(_lists.Read<OutputRow>), limit,
            last => TimePlace.Token(List, new TimePlace(Times.Microseconds(last.At), last.RowId)), ct);
    }

    /// <summary>They expire by themselves.</summary>
    public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) => new(0);
}
