using CsCheck;
using Millrace.Stores;
using Millrace.Stores.Positions;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Devices that were deleted and made anew, and say where they were when there was the one before.</summary>
public abstract partial class PositionStoreContract
{
    private static readonly GeoBox Everywhere = new(-90, -180, 90, 180);

    [Test]
    public async Task A_device_that_is_made_anew_is_where_its_rows_of_the_past_say_whatever_else_is_written_with_them()
    {
        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);
        var anew = Sent("d", 20, 3_000, "g2") with { EnqueuedAtMs = 6_000 };
        await Store.WriteAsync([anew, Sent("d", 10, 4_000, "g1")]);
        Assert.That(await Store.FindAsync("d"), Is.EqualTo(anew));
        Assert.That(await DevicesAsync(new GeoBox(19, -1, 21, 1)), Is.EqualTo(new[] { "d" }));
    }

    [TestCase(10)]
    [TestCase(20)]
    public async Task A_device_that_is_made_anew_is_where_it_was_though_its_predecessor_was_there_later(double latitude)
    {
        var (gone, end) = (Sent("d", 10, 4_000, "g1"), new DeviceEnd("d", "g1", 5_000));
        await Store.WriteAsync([gone]);
        await Store.ForgetAsync([end]);
        foreach (var (eventAt, latest) in new[] { (3_000, 3_000), (3_500, 3_500), (3_200, 3_500) })
        {
            await Store.WriteAsync([Sent("d", latitude, eventAt, "g2") with { EnqueuedAtMs = 6_000 }]);
            await Store.ForgetAsync([end]);
            await Store.WriteAsync([gone]);
            Assert.That((await Store.FindAsync("d"))!.EventAtMs, Is.EqualTo(latest));
            Assert.That(await DevicesAsync(new GeoBox(latitude - 1, -1, latitude + 1, 1)), Is.EqualTo(new[] { "d" }));
            Assert.That(await DevicesAsync(Everywhere), Is.EqualTo(new[] { "d" }));
        }

        Reopen();
        Assert.That((await Store.FindAsync("d"))!.EventAtMs, Is.EqualTo(3_500));
    }

    [Test]
    public async Task A_device_is_where_a_look_at_all_that_was_written_says_whatever_is_replayed()
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
    /// What happens to devices of one id, one after the other, in order. They are in few places, and their event times
    /// lie in no order.
    /// </summary>
    protected static List<PositionStep> LivesOf(string device, Random random)
    {
        var steps = new List<PositionStep>();
        var offset = 0;
        for (var life = 1; life <= 3; life++)
        {
            var (generation, bornAt, endedAt) = ($"g{life}", life * 10_000, (life * 10_000) + 5_000);
            for (var writes = random.Next(4); writes > 0; writes--)
            {
                steps.Add(new PositionStep([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
                    Sent(device, random.Next(3) * 10, ++offset, generation) with
                    {
                        EventAtMs = random.Next(5) * 1_000,
                        EnqueuedAtMs = bornAt + random.Next(1, 5_500),
                    })], []));
            }

            if (life < 3 || random.Next(2) == 0)
                steps.Add(new PositionStep([], [new DeviceEnd(device, generation, endedAt)]));
        }

        return steps;
    }

    /// <summary>
    /// Does the steps, and asks after each whether the device is where the latest of all positions so far says, and is
    /// found there and nowhere else.
    /// </summary>
    /// <param name="writerOf">Who does a step; the store under test is asked.</param>
    /// <param name="begin">The token with which a search begins.</param>
    protected async Task AgreesAsync(
        IEnumerable<PositionStep> steps, Func<PositionStep, IPositionStore>? writerOf = null, string? begin = null)
    {
        var (positions, ends) = (new List<DevicePosition>(), new List<DeviceEnd>());
        foreach (var step in steps)
        {
            positions.AddRange(step.Positions);
            ends.AddRange(step.Ends);
            var writer = writerOf?.Invoke(step) ?? Store;
            if (step.Positions.Count > 0) await writer.WriteAsync(step.Positions);
            if (step.Ends.Count > 0) await writer.ForgetAsync(step.Ends);
            var expected = positions.Where(position => !ends.Any(position.IsOf))
                .MaxBy(position => (position.EventAtMs, position.Offset));
            var device = step.Positions.Select(one => one.DeviceId)
                .Concat(step.Ends.Select(one => one.DeviceId)).First();
            Assert.That(await Store.FindAsync(device), Is.EqualTo(expected));
            for (var look = 0; look < 2; look++)
            {
                // In one page: one that has just moved may be in two.
                var found = await Store.WithinAsync(Everywhere, 10_000, begin);
                Assert.That(found.Items.Where(one => one.DeviceId == device),
                    Is.EqualTo(expected is null ? [] : new[] { expected }));
            }
        }
    }

    /// <summary>Positions that come in one batch, and devices that were deleted.</summary>
    protected sealed record PositionStep(IReadOnlyList<DevicePosition> Positions, IReadOnlyList<DeviceEnd> Ends)
    {
        public PositionStep With(PositionStep other) =>
            new([.. Positions, .. other.Positions], [.. Ends, .. other.Ends]);
    }
}
