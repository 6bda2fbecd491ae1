using CsCheck;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Devices that were deleted and made anew, and bring rows of a time when there was the one before.</summary>
public abstract partial class TelemetryStoreContract
{
    [Test]
    public async Task A_device_that_is_made_anew_has_the_latest_of_its_past_whatever_else_is_written_with_it()
    {
        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);
        await Store.WriteAsync(Partition(2), [
            Sent("d", 6_000, "g2") with { EventAtMs = 2_000 }, Sent("d", 6_001, "g2") with { EventAtMs = 3_000 },
            Sent("d", 6_002, "g1") with { EventAtMs = 4_000 }], new SinkPosition(6_003));
        Assert.That((await Store.LatestAsync("d"))!.Offset, Is.EqualTo(6_001));
    }

    [Test]
    public async Task A_device_that_is_made_anew_has_the_latest_of_its_past_though_its_predecessor_had_a_later_one()
    {
        var (gone, end) = (Sent("d", 4_000, "g1"), new DeviceEnd("d", "g1", 5_000));
        await Store.WriteAsync(Partition(2), [gone], new SinkPosition(4_001));
        await Store.ForgetAsync([end]);
        var offset = 6_000;
        foreach (var (eventAt, latest) in new[] { (3_000, 3_000), (3_500, 3_500), (3_200, 3_500) })
        {
            offset++;
            var row = Sent("d", offset, "g2") with { EventAtMs = eventAt };
            await Store.WriteAsync(Partition(2), [row], new SinkPosition(offset + 1));
            await Store.ForgetAsync([end]);
            await Store.WriteAsync(Partition(2), [gone], new SinkPosition(4_001));
            Assert.That((await Store.LatestAsync("d"))!.EventAtMs, Is.EqualTo(latest));
        }

        Reopen();
        Assert.That((await Store.LatestManyAsync(["d"])).Single().EventAtMs, Is.EqualTo(3_500));
    }

    [Test]
    public async Task The_latest_value_is_that_of_a_look_at_all_rows_whatever_is_replayed()
    {
        var round = 0;
        await Gen.Int.SampleAsync(async seed =>
        {
            var random = new Random(seed);
            var lives = LivesOf($"device-{++round}", random);
            await AgreesAsync(lives.SelectMany((step, i) => random.Next(3) switch
            {
                0 => new[] { step },
                1 => [step.With(lives[random.Next(i + 1)])],
                _ => [step, lives[random.Next(i + 1)]],
            }));
        }, iter: Samples.Of(10), threads: 1);
    }

    /// <summary>
    /// What happens to devices of one id, one after the other, in order. Their event times lie in no order.
    /// </summary>
    protected static List<LatestStep> LivesOf(string device, Random random)
    {
        var steps = new List<LatestStep>();
        var offset = 0;
        for (var life = 1; life <= 3; life++)
        {
            var (generation, bornAt, endedAt) = ($"g{life}", life * 10_000, (life * 10_000) + 5_000);
            for (var writes = random.Next(4); writes > 0; writes--)
            {
                // A gateway may take some in the moment before it lets the device go.
                steps.Add(new LatestStep([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
                    Message(device, ++offset, random.Next(5) * 1_000) with
                    {
                        EnqueuedAtMs = bornAt + random.Next(1, 5_500),
                        GenerationId = generation,
                    })], []));
            }

            if (life < 3 || random.Next(2) == 0)
                steps.Add(new LatestStep([], [new DeviceEnd(device, generation, endedAt)]));
        }

        return steps;
    }

    /// <summary>Does the steps, and asks after each whether the latest value is the one of all rows so far.</summary>
    /// <param name="writerOf">Who does a step; the store under test is asked.</param>
    protected async Task AgreesAsync(
        IEnumerable<LatestStep> steps, Func<LatestStep, ITelemetryStore>? writerOf = null)
    {
        var (rows, ends) = (new List<TelemetryMessage>(), new List<DeviceEnd>());
        foreach (var step in steps)
        {
            rows.AddRange(step.Rows);
            ends.AddRange(step.Ends);
            var writer = writerOf?.Invoke(step) ?? Store;
            if (step.Rows.Count > 0)
                await writer.WriteAsync(Partition(2), step.Rows, new SinkPosition(rows.Max(row => row.Offset) + 1));
            if (step.Ends.Count > 0) await writer.ForgetAsync(step.Ends);
            var expected = rows.Where(row => !ends.Any(end => end.Covers(row.EnqueuedAtMs, row.GenerationId)))
                .MaxBy(row => (row.EventAtMs, row.Offset));
            var device = step.Rows.Select(row => row.DeviceId).Concat(step.Ends.Select(end => end.DeviceId)).First();
            Assert.That((await Store.LatestAsync(device))?.Offset, Is.EqualTo(expected?.Offset));
        }
    }

    /// <summary>Rows that come in one batch, and devices that were deleted.</summary>
    protected sealed record LatestStep(IReadOnlyList<TelemetryMessage> Rows, IReadOnlyList<DeviceEnd> Ends)
    {
        public LatestStep With(LatestStep other) => new([.. Rows, .. other.Rows], [.. Ends, .. other.Ends]);
    }
}
