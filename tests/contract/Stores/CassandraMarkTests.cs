using System.Diagnostics.Metrics;
using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What marks of a query that runs for long leave in the one partition that each save reads.</summary>
public sealed class CassandraMarkTests
{
    // Cassandra warns of a read that meets more tombstones, and fails it at a hundred times as many.
    private const int TombstonesWarned = 1_000;

    private static readonly CheckpointKey Key = new("q", 1, -1);
    private static readonly TopicPartition Busy = new(Topics.Telemetry, 0);
    private static readonly TopicPartition Empty = new(Topics.Telemetry, 1);

    [Test]
    public async Task Marks_that_came_and_went_leave_nothing_that_makes_the_partition_unreadable()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<ICheckpointStore>();
        var epoch = await store.RaiseEpochAsync(Key);
        var warnings = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (found, self) =>
        {
            if (found.Name == "millrace.cql.warnings") self.EnableMeasurementEvents(found);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref warnings, count));
        listener.Start();
        for (var offset = 1; offset <= TombstonesWarned + 100; offset++)
        {
            await store.AddMarkAsync(Key, epoch, new TimeMark(Busy, offset, offset));
            if (offset % 20 != 0) continue;
            await store.AddMarkAsync(Key, epoch, new TimeMark(Empty, 0, offset));
            var inputs = new[] { new PartitionOffset(Busy, offset + 1), new PartitionOffset(Empty, 0) };
            Assert.That(await store.SaveAsync(Key, epoch, new Checkpoint(inputs, [], [1], DateTimeOffset.UnixEpoch)));
        }

        Assert.That(await store.MarksAsync(Key),
            Is.EqualTo(new[] { new TimeMark(Empty, 0, TombstonesWarned + 100) }));
        Assert.That(Interlocked.Read(ref warnings), Is.Zero, "reads that met too many tombstones");
    }
}
