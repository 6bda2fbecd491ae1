using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.DeviceStates;

namespace Millrace.Contract.Tests.Stores;

/// <summary>States whose writes fail half way.</summary>
public sealed class CassandraDeviceStateTests
{
    private static readonly TopicPartition Partition = new("any", 0);
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task A_device_whose_end_could_not_be_listed_counts_as_connected_until_the_next_try_and_no_longer()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IDeviceStateStore>();
        LifecycleEvent[] deleted = [new LifecycleEvent(LifecycleKind.Deleted, "d", Noon.AddSeconds(1))];
        await store.WriteAsync(Partition,
            [new LifecycleEvent(LifecycleKind.Connected, "d", Noon, ConnectionId: "1")], new SinkPosition(1));
        try
        {
            await RunAsync(adapter, "DROP TABLE connected_devices");
            Assert.ThrowsAsync<MillraceException>(
                async () => await store.WriteAsync(Partition, deleted, new SinkPosition(2)));
        }
        finally
        {
            await RunAsync(adapter, "CREATE TABLE connected_devices(shard int, device text, connection text, "
                + "PRIMARY KEY(shard, device))");
        }

        // What the table held, as a node has it that was away.
        await RunAsync(adapter, $"INSERT INTO connected_devices(shard, device, connection) "
            + $"VALUES({Shards.Of("d")}, 'd', '1') USING TIMESTAMP 1");
        Assert.That(await store.CountConnectedAsync(), Is.EqualTo(1));

        await store.WriteAsync(Partition, deleted, new SinkPosition(2));
        Assert.That(await store.CountConnectedAsync(), Is.Zero);
        Assert.That(await store.FindAsync("d"), Is.Null);
    }

    private static async Task RunAsync(CassandraAdapter adapter, string text) => await adapter.Get<CassandraDatabase>()
        .RunAsync(new SimpleStatement(text) { Timeout = TimeSpan.FromMinutes(1) }, default);
}
