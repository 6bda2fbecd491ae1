using Millrace.Contracts;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// How far telemetry is stored. The offset is the timestamp of its own write: of two positions Cassandra keeps the
/// further one, whoever writes when, so that none goes back and nothing is compared first.
/// </summary>
internal static class TelemetryPositions
{
    private const string Sink = "telemetry";

    private static readonly StoreStatement Insert = new(
        "INSERT INTO positions(sink, topic, part, next_offset, metadata) VALUES(?, ?, ?, ?, ?) USING TIMESTAMP ?");

    private static readonly StoreStatement Select = new(
        "SELECT next_offset, metadata FROM positions WHERE sink = ? AND topic = ? AND part = ?");

    public static async ValueTask SaveAsync(
        CassandraDatabase database, TopicPartition partition, SinkPosition position, CancellationToken ct)
    {
        var insert = await database.BindAsync(Insert, ct).ConfigureAwait(false);
        insert.Add(Sink).Add(partition.Topic).Add(partition.Partition).Add(position.NextOffset).Add(position.Metadata)
            .Add(position.NextOffset);
        await database.RunAsync(insert, ct).ConfigureAwait(false);
    }

    public static ValueTask<SinkPosition?> FindAsync(
        CassandraDatabase database, TopicPartition partition, CancellationToken ct) =>
        database.FirstAsync<SinkPosition>(
            Select, row => new SinkPosition(row.Get<long>(0), row.Get<string?>(1)), ct, Sink, partition.Topic,
            partition.Partition);
}
