using Millrace.Api.Status;
using Millrace.TestKit;

namespace Millrace.Api.Tests;

public class SlowCountTests
{
    [Test]
    public async Task A_fast_count_is_always_the_newest()
    {
        var now = 0L;
        var count = new SlowCount(_ => ValueTask.FromResult(++now), TimeSpan.FromMinutes(1), TimeProvider.System);
        Assert.That(await count.ReadAsync(default, default), Is.EqualTo(1));
        Assert.That(await count.ReadAsync(default, default), Is.EqualTo(2));
    }

    [Test]
    public async Task A_slow_one_shows_the_last_and_counts_once_behind_all_callers()
    {
        var counts = new List<TaskCompletionSource<long>>();
        var count = new SlowCount(_ => Next(counts), TimeSpan.FromMilliseconds(1), TimeProvider.System);
        var first = count.ReadAsync(default, default);
        var beside = count.ReadAsync(default, default);
        await Eventually.TrueAsync(() => counts.Count == 1, "it counts");
        counts[0].SetResult(7);
        Assert.That(await Task.WhenAll(first, beside), Is.EqualTo(new[] { 7, 7 }));

        Assert.That(await count.ReadAsync(default, default), Is.EqualTo(7), "the second counting is not done");
        Assert.That(await count.ReadAsync(default, default), Is.EqualTo(7));
        await Eventually.TrueAsync(() => counts.Count == 2, "it counts again, once");
        counts[1].SetResult(8);
        await Eventually.TrueAsync(async () => await count.ReadAsync(default, default) == 8, "the second is shown");
    }

    [Test]
    public async Task One_that_fails_is_told_and_made_again()
    {
        var calls = 0;
        var count = new SlowCount(_ => ++calls == 1
            ? ValueTask.FromException<long>(new TimeoutException("no answer"))
            : ValueTask.FromResult(5L), TimeSpan.FromMinutes(1), TimeProvider.System);
        Assert.That(() => count.ReadAsync(default, default), Throws.TypeOf<TimeoutException>());
        Assert.That(await count.ReadAsync(default, default), Is.EqualTo(5));
    }

    [Test]
    public async Task A_caller_that_goes_away_does_not_end_the_counting()
    {
        var counts = new List<TaskCompletionSource<long>>();
        var count = new SlowCount(_ => Next(counts), TimeSpan.FromMinutes(1), TimeProvider.System);
        using var gone = new CancellationTokenSource();
        var left = count.ReadAsync(default, gone.Token);
        var stays = count.ReadAsync(default, default);
        await gone.CancelAsync();
        Assert.That(() => left, Throws.InstanceOf<OperationCanceledException>());
        await Eventually.TrueAsync(() => counts.Count == 1, "it counts");
        counts[0].SetResult(3);
        Assert.That(await stays, Is.EqualTo(3));
    }

    private static ValueTask<long> Next(List<TaskCompletionSource<long>> counts)
    {
        lock (counts)
        {
            counts.Add(new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
            return new ValueTask<long>(counts[^1].Task);
        }
    }
}
