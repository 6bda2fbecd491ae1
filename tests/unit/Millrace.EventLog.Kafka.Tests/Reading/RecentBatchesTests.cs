using System.Text;
using CsCheck;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Reading;

namespace Millrace.EventLog.Kafka.Tests.Reading;

/// <summary>What is kept of a partition for slower readers, against a plain list of its records.</summary>
public class RecentBatchesTests
{
    private static readonly TopicPartition Partition = new("telemetry", 3);

    /// <summary>Batches of some records behind a gap, then a look somewhere, then a limit.</summary>
    private static readonly Gen<(int Gap, int Count, int Look, int Fits, int Before, int Max)> Steps = Gen.Select(
        Gen.Frequency((4, Gen.Const(0)), (1, Gen.Int[1, 3])), Gen.Int[1, 6], Gen.Int[0, 40], Gen.Int[1, 400],
        Gen.Int[0, 30], Gen.Frequency((3, Gen.Const(int.MaxValue)), (1, Gen.Int[0, 500])));

    [Test]
    public void From_the_start_on_all_is_there() => Steps.Array[1, 40].Sample(steps =>
    {
        var kept = new RecentBatches(Partition, 10);
        using var scratch = new RecordBatchBuilder();
        var (records, next) = (new SortedDictionary<long, int>(), 10L);
        foreach (var step in steps)
        {
            var batch = Batch(next + step.Gap, step.Count);
            kept.Add(batch);
            foreach (var record in batch) records[record.Offset] = record.Bytes.Length;
            next = batch.NextOffset;
            kept.Shrink(next - step.Before, step.Max);

            Assert.That(kept.Start, Is.LessThanOrEqualTo(next));
            var position = Math.Max(kept.Start, next - step.Look);
            var expected = records.Where(record => record.Key >= position).ToList();
            Assert.That(kept.TryTake(position, step.Fits, scratch, out var taken), Is.EqualTo(expected.Count > 0));
            if (expected.Count == 0) continue;
            Check(taken, expected, step.Fits);
            var most = Math.Max(step.Max, batch.Bytes.Length);
            if (step.Max != int.MaxValue) Assert.That(Bytes(kept, next, scratch), Is.LessThanOrEqualTo(most));
            Assert.That(kept.Middle, Is.InRange(kept.Start, next));
        }
    });

    [Test]
    public void What_stands_in_one_batch_is_not_copied()
    {
        var kept = new RecentBatches(Partition, 0);
        using var scratch = new RecordBatchBuilder();
        var batch = Batch(0, 5);
        kept.Add(batch);
        Assert.That(kept.TryTake(0, 10_000, scratch, out var all), Is.True);
        Assert.That(all, Is.EqualTo(batch));
        Assert.That(kept.TryTake(2, 10_000, scratch, out var part), Is.True);
        Assert.That(batch.Bytes.Span.Overlaps(part.Bytes.Span), Is.True);
    }

    private static void Check(RecordBatch taken, List<KeyValuePair<long, int>> expected, int fits)
    {
        Assert.That(taken.FirstOffset, Is.EqualTo(expected[0].Key));
        Assert.That(taken.Partition, Is.EqualTo(Partition));
        var (at, bytes) = (0, 0);
        foreach (var record in taken)
        {
            Assert.That(record.Offset, Is.EqualTo(expected[at++].Key));
            Assert.That(Encoding.UTF8.GetString(record.Value), Is.EqualTo($"{record.Offset}"));
            bytes += record.Bytes.Length;
        }

        Assert.That(at, Is.EqualTo(taken.Count));
        Assert.That(at == 1 || bytes <= fits);
    }

    private static int Bytes(RecentBatches kept, long next, RecordBatchBuilder scratch)
    {
        var (at, bytes) = (kept.Start, 0);
        while (at < next && kept.TryTake(at, int.MaxValue, scratch, out var some))
            (at, bytes) = (some.NextOffset, bytes + some.Bytes.Length);
        return bytes;
    }

    private static RecordBatch Batch(long first, int count)
    {
        using var builder = new RecordBatchBuilder();
        for (var offset = first; offset < first + count; offset++)
        {
            builder.Begin(1_000, "d"u8);
            builder.End(Encoding.UTF8.GetBytes($"{offset}"));
        }

        return new RecordBatch(Partition, first, count, builder.Bytes.ToArray());
    }
}
