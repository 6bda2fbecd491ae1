using System.Diagnostics;
using Millrace.Cql.Connections;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Connections;

public class TurnTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public void All_go_on_here_in_order_and_what_they_send_leaves_after_the_last()
    {
        var (turn, signal, seen) = (new Turn(), new WriterSignal(), new List<string>());
        var sent = SentAsync(signal, () => seen.Add($"sent on {Environment.CurrentManagedThreadId}"));
        turn.Add(new Item(() =>
        {
            if (signal.TryDisarm()) signal.Wake();
            seen.Add("first");
        }));
        turn.Add(new Item(() => seen.Add("second")));

        Assert.That(turn.Run(new Pace()), Is.True);

        Assert.That(sent.IsCompletedSuccessfully, Is.True);
        Assert.That(seen, Is.EqualTo(["first", "second", $"sent on {Environment.CurrentManagedThreadId}"]));
        Assert.That(turn.Run(new Pace()), Is.True);
        Assert.That(seen, Has.Count.EqualTo(3), "none goes on twice");
    }

    [Test]
    public async Task When_one_holds_the_thread_the_others_go_on_in_the_pool_and_what_was_put_off_is_sent()
    {
        using var release = new ManualResetEventSlim();
        var (turn, before, after) = (new Turn(), new WriterSignal(), new WriterSignal());
        var (held, second) = (new TaskCompletionSource(), new TaskCompletionSource<bool>());
        var sent = new[] { before, after }.Select(signal => SentAsync(signal, () => { })).ToList();
        turn.Add(new Item(() =>
        {
            before.Wake();
            held.SetResult();
            release.Wait(Patience);
            after.Wake();
        }));
        turn.Add(new Item(() => second.SetResult(Thread.CurrentThread.IsThreadPoolThread)));
        var running = Task.Factory.StartNew(() => turn.Run(new Pace()), TaskCreationOptions.LongRunning);
        await held.Task.WaitAsync(Patience);

        Assert.That(turn.TryEnd(TimeSpan.FromMinutes(1)), Is.False, "it has not been held for so long");
        Assert.That(second.Task.IsCompleted || sent[0].IsCompleted, Is.False);
        Assert.That(turn.TryEnd(TimeSpan.Zero), Is.True);
        Assert.That(turn.TryEnd(TimeSpan.Zero), Is.False, "it is over");

        Assert.That(await second.Task.WaitAsync(Patience), Is.True);
        await sent[0].WaitAsync(Patience);
        release.Set();
        Assert.That(await running.WaitAsync(Patience), Is.False);
        await sent[1].WaitAsync(Patience);
    }

    [Test]
    public void A_turn_in_which_nothing_goes_on_is_not_ended()
    {
        var turn = new Turn();
        turn.Add(new Item(() => { }));

        Assert.That(turn.TryEnd(TimeSpan.Zero), Is.False);
        Assert.That(turn.Run(new Pace()), Is.True);
        Assert.That(turn.TryEnd(TimeSpan.Zero), Is.False);
    }

    [Test]
    public void A_few_slow_ones_do_not_send_the_others_to_the_pool_and_many_do()
    {
        var pace = new Pace();
        for (var i = 0; i < 20; i++) pace.Add(Ago(TimeSpan.FromSeconds(1)));
        Assert.That(pace.IsQuick, Is.True);
        for (var i = 0; i < 2_000; i++) pace.Add(Ago(TimeSpan.FromMicroseconds(1)));
        Assert.That(pace.IsQuick, Is.True);
        var slow = 0;
        for (; pace.IsQuick && slow < 1_000; slow++) pace.Add(Ago(TimeSpan.FromMilliseconds(1)));
        Assert.That(slow, Is.InRange(30, 100));
    }

    [Test]
    public async Task They_go_on_here_again_after_a_while()
    {
        var pace = new Pace();
        pace.Pause();
        Assert.That(pace.IsQuick, Is.False);
        await Eventually.TrueAsync(() => pace.IsQuick, "the pause is over");
    }

    private static long Ago(TimeSpan time) =>
        Stopwatch.GetTimestamp() - (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static async Task SentAsync(WriterSignal signal, Action then)
    {
        signal.Arm();
        await signal.WaitAsync().ConfigureAwait(false);
        then();
    }

    private sealed class Item(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
