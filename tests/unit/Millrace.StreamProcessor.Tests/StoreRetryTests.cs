using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.Tests;

public class StoreRetryTests
{
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 0);

    private readonly StoreRetry _retry = new(Options.Create(new StreamProcessorOptions
    {
        RestartDelayMin = TimeSpan.FromMilliseconds(1),
        RestartDelayMax = TimeSpan.FromMilliseconds(4),
    }), TimeProvider.System, NullLogger<StoreRetry>.Instance);

    [Test]
    public async Task A_store_that_is_away_is_asked_until_it_takes_the_write()
    {
        var asked = 0;
        await _retry.RunAsync("sink", Partition,
            () => ++asked < 20 ? throw StoreErrors.Unavailable.With("db").AsException() : ValueTask.CompletedTask,
            CancellationToken.None);

        Assert.That(asked, Is.EqualTo(20));
    }

    [Test]
    public void A_row_that_is_refused_for_good_is_told_at_once()
    {
        var asked = 0;
        var error = Assert.ThrowsAsync<MillraceException>(async () => await _retry.RunAsync("sink", Partition, () =>
        {
            asked++;
            throw StoreErrors.RowRefused.With("d, offset 1").AsException();
        }, CancellationToken.None))!.Error;

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowRefused));
        Assert.That(asked, Is.EqualTo(1));
    }

    [Test]
    public void A_stop_ends_the_waiting_for_a_store_that_is_away()
    {
        using var stop = new CancellationTokenSource();
        var asked = 0;
        var error = Assert.ThrowsAsync<MillraceException>(async () => await _retry.RunAsync("sink", Partition, () =>
        {
            if (++asked == 3) stop.Cancel();
            throw StoreErrors.Unavailable.With("db").AsException();
        }, stop.Token))!.Error;

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.Unavailable));
        Assert.That(asked, Is.EqualTo(3));
    }
}
