using CsCheck;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.TestKit;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

[Category("Samples")]
public class BucketReadsTests
{
    private const int AtOnceMax = 32;

    [Test]
    public async Task Rows_come_in_their_order_and_what_is_read_in_vain_is_bounded()
    {
        var buckets = Gen.OneOf(Gen.Int[0, 3], Gen.Int[0, 400], Gen.Int[900, 1_100]).Array[0, 80];
        await Gen.Select(buckets, Gen.Int[1, 1_500]).SampleAsync(async (sizes, count) =>
        {
            var (got, read, _) = await TakeAsync(sizes, count);
            var all = sizes.SelectMany((size, bucket) => Enumerable.Range(0, size).Select(i => new Row(bucket, i)));
            Assert.That(got.Take(count), Is.EqualTo(all.Take(count)));

            // The share of each bucket of the last group, beside the rows that were asked for.
            var ahead = Math.Max(BucketReads<int, Row>.AheadFactor * count,
                AtOnceMax * BucketReads<int, Row>.ShareMin);
            Assert.That(read, Is.LessThanOrEqualTo(count + ahead));
        }, iter: Samples.Of(300), threads: 1);
    }

    [Test]
    public async Task A_device_with_few_rows_in_each_bucket_is_asked_for_each_once()
    {
        var (got, _, requests) = await TakeAsync([.. Enumerable.Repeat(BucketReads<int, Row>.ShareMin - 1, 90)], 9_000);
        Assert.That(got, Has.Count.EqualTo(8_910));
        Assert.That(requests, Is.EqualTo(90));
    }

    private static async Task<(List<Row> Rows, int Read, int Requests)> TakeAsync(int[] sizes, int count)
    {
        var (read, requests) = (0, 0);
        var reads = new BucketReads<int, Row>(AtOnceMax, (bucket, after, limit) =>
        {
            var from = after is null ? 0 : after.Index + 1;
            List<Row> rows = [.. Enumerable.Range(from, Math.Min(limit, sizes[bucket] - from))
                .Select(i => new Row(bucket, i))];
            (read, requests) = (read + rows.Count, requests + 1);
            return Task.FromResult(rows);
        });
        var got = await reads.TakeAsync(Enumerable.Range(0, sizes.Length), count);
        return (got, read, requests);
    }

    private sealed record Row(int Bucket, int Index);
}
