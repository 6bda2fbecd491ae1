using CsCheck;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class TelemetryLayoutsTests
{
    private const long TimeMax = 2_000;

    // Layouts whose changes fall where they like, buckets of the time before included.
    private static readonly Gen<TelemetryLayouts> Layouts =
        from first in Gen.Select(Gen.Long[1, 50], Gen.Int[1, 8])
        from later in Gen.Select(Gen.Long[1, TimeMax], Gen.Long[1, 50], Gen.Int[1, 8]).List[0, 4]
        select new TelemetryLayouts(later.DistinctBy(one => one.Item1).OrderBy(one => one.Item1)
            .Select(one => new TelemetryLayout(one.Item1, one.Item2, one.Item3))
            .Prepend(new TelemetryLayout(TelemetryLayout.Beginning, first.Item1, first.Item2)));

    [Test]
    public void A_reader_looks_where_the_writer_put_a_row_whatever_the_range_and_the_direction() =>
        Gen.Select(Layouts, Gen.Long[-TimeMax, TimeMax], Gen.Long[0, 300], Gen.Long[0, 300], Gen.Bool).Sample(
            (layouts, at, before, behind, oldestFirst) => layouts
                .PartitionsOf("d", at - before, at + behind + 1, oldestFirst)
                .Contains(layouts.PartitionOf("d", at)));

    [Test]
    public void The_partitions_of_a_range_come_in_the_order_of_time_and_each_once() =>
        Gen.Select(Layouts, Gen.Long[-TimeMax, TimeMax], Gen.Long[0, 300], Gen.Bool).Sample(
            (layouts, from, length, oldestFirst) =>
            {
                var buckets = layouts.PartitionsOf("d", from, from + length, oldestFirst)
                    .Select(partition => partition.Bucket).ToList();
                var expected = buckets.Distinct().Order().ToList();
                if (!oldestFirst) expected.Reverse();
                return buckets.SequenceEqual(expected) && (length == 0) == (buckets.Count == 0);
            });

    [Test]
    public void No_other_partitions_are_read_than_those_of_times_in_the_range() =>
        Gen.Select(Layouts, Gen.Long[-TimeMax, TimeMax], Gen.Int[1, 200], Gen.Bool).Sample(
            (layouts, from, length, oldestFirst) =>
            {
                var written = Enumerable.Range(0, length).Select(i => layouts.PartitionOf("d", from + i)).ToHashSet();
                return written.SetEquals(layouts.PartitionsOf("d", from, from + length, oldestFirst));
            });

    [Test]
    public void A_bucket_is_no_longer_than_its_width_and_of_one_layout() =>
        Gen.Select(Layouts, Gen.Long[-TimeMax, TimeMax], Gen.Long[0, 60]).Sample((layouts, at, later) =>
        {
            var (one, other) = (layouts.PartitionOf("d", at), layouts.PartitionOf("d", at + later));
            return one.Bucket <= at && at - one.Bucket < 50 && (one.Bucket != other.Bucket || one == other);
        });

    [Test]
    public void The_shards_of_a_log_partition_are_its_own_when_one_number_divides_the_other()
    {
        var ofPartition = Enumerable.Range(0, 5_000).Select(i => $"device-{i}")
            .GroupBy(device => TelemetryLayout.ShardOf(device, 4))
            .Select(devices => devices.Select(device => TelemetryLayout.ShardOf(device, 64)).ToHashSet()).ToList();

        Assert.That(ofPartition.Select(shards => shards.Count), Is.All.EqualTo(16));
        Assert.That(ofPartition.SelectMany(shards => shards), Is.Unique);
    }
}
