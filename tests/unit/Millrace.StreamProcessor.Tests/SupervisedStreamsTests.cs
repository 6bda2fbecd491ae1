using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.StreamProcessor.Sources;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Streams that fail are started again, later and later; one that fails leaves the others alone.</summary>
public class SupervisedStreamsTests
{
    private static readonly StreamProcessorOptions Options = new()
    {
        RestartDelayMin = TimeSpan.FromMilliseconds(100),
        RestartDelayMax = TimeSpan.FromMilliseconds(700),
    };

    [Test]
    public async Task Work_that_fails_is_started_again_with_waits_that_double_up_to_the_most()
    {
        var time = new ManualTime();
        var starts = 0;
        using var stop = new CancellationTokenSource();
        var work = Streams(time).RunAsync("test", _ =>
        {
            starts++;
            throw new IOException("It fails.");
        }, stop.Token);

        foreach (var waitMs in new[] { 100, 200, 400, 700, 700 })
        {
            var before = starts;
            await Eventually.TrueAsync(() => time.Waiting == 1, "it waits");
            time.Advance(TimeSpan.FromMilliseconds(waitMs - 1));
            Assert.That((starts, time.Waiting), Is.EqualTo((before, 1)), $"a wait of {waitMs} ms");
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Eventually.TrueAsync(() => starts == before + 1, "it starts again");
        }

        await stop.CancelAsync();
        await work;
    }

    [Test]
    public async Task Work_that_ran_well_for_a_while_begins_again_with_short_waits()
    {
        var time = new ManualTime();
        var starts = 0;
        using var stop = new CancellationTokenSource();
        var work = Streams(time).RunAsync("test", _ =>
        {
            if (++starts == 3) time.Advance(TimeSpan.FromSeconds(1));
            throw new IOException("It fails.");
        }, stop.Token);

        foreach (var waitMs in new[] { 100, 200, 100 })
        {
            var before = starts;
            await Eventually.TrueAsync(() => time.Waiting == 1, "it waits");
            time.Advance(TimeSpan.FromMilliseconds(waitMs));
            await Eventually.TrueAsync(() => starts == before + 1, $"it starts again after {waitMs} ms");
        }

        await stop.CancelAsync();
        await work;
    }

    [Test]
    public async Task Work_that_ends_by_itself_or_is_told_to_stop_is_not_started_again()
    {
        var starts = 0;
        await Streams(new ManualTime()).RunAsync("ends", _ => Task.FromResult(starts++), default);
        using var stop = new CancellationTokenSource();
        var work = Streams(new ManualTime()).RunAsync("waits", async ct =>
        {
            starts++;
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        }, stop.Token);
        await stop.CancelAsync();
        await work;
        Assert.That(starts, Is.EqualTo(2));
    }

    [Test]
    public async Task A_partition_whose_work_fails_leaves_the_others_alone()
    {
        await using var hub = new ProcessorFixture();
        await hub.StartTopicsAsync();
        var runs = new int[ProcessorFixture.Partitions];
        using var stop = new CancellationTokenSource();
        var work = new SupervisedStreams(hub.Log, Options, TimeProvider.System, NullLogger.Instance).RunAssignedAsync(
            "test", Topics.Telemetry, async (partition, ct) =>
            {
                if (Interlocked.Increment(ref runs[partition.Partition]) < 3 && partition.Partition == 2)
                    throw new IOException("It fails.");
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            }, stop.Token);

        await Eventually.TrueAsync(() => runs[2] == 3 && runs.Sum() == 6, "all partitions run");
        await stop.CancelAsync();
        await work;
        Assert.That(runs, Is.EqualTo(new[] { 1, 1, 3, 1 }));
    }

    private static SupervisedStreams Streams(TimeProvider time) => new(null!, Options, time, NullLogger.Instance);
}
