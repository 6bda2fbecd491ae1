using Millrace.Contracts;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// How far each sink has come. The offset itself is the write's timestamp, so that of two writers the one that is
/// further wins, whatever their clocks say, and none goes back. Rows are written before their position.
/// </summary>
internal sealed class SinkPositions(CassandraDatabase database, string sink)
{
    private static readonly StoreStatement Select =
        new("SELECT next_offset, metadata FROM positions WHERE sink = ? AND topic = ? AND part = ?");

    private static readonly StoreStatement Insert = new(
        "INSERT INTO positions(sink, topic, part, next_offset, metadata) VALUES(?, ?, ?, ?, ?) USING TIMESTAMP ?");

    public ValueTask<SinkPosition?> FindAsync(TopicPartition partition, CancellationToken ct) => database.FirstAsync(
        Select, row => new SinkPosition(row.Get<long>(0), row.Get<string?>(1)), ct, sink, partition.Topic,
        partition.Partition);

    /// <summary>
    /// Whether the sink is further already: whoever writes has lost the partition to another, and what it brings is
    /// there.
    /// </summary>
    public async ValueTask<bool> IsPastAsync(TopicPartition partition, SinkPosition position, CancellationToken ct) =>
        await FindAsync(partition, ct).ConfigureAwait(false) is { } have && have.NextOffset > position.NextOffset;

    public async ValueTask SaveAsync(TopicPartition partition, SinkPosition position, CancellationToken ct) =>
        await database.RunAsync(Insert, ct, sink, partition.Topic, partition.Partition, position.NextOffset,
            position.Metadata, position.NextOffset).ConfigureAwait(false);
}
