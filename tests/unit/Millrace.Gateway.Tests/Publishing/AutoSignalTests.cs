using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Tests.Publishing;

public class AutoSignalTests
{
    [Test]
    public async Task A_call_before_the_wait_is_kept_and_several_are_one()
    {
        var signal = new AutoSignal();
        signal.Call();
        signal.Call();

        await signal.WaitAsync();
        var second = signal.WaitAsync().AsTask();
        Assert.That(second.IsCompleted, Is.False);
        signal.Call();
        await second;
    }

    [Test]
    public async Task No_call_is_ever_lost()
    {
        const int rounds = 100_000;
        var signal = new AutoSignal();
        var published = 0;
        var waiting = Task.Run(async () =>
        {
            while (Volatile.Read(ref published) < rounds) await signal.WaitAsync();
        });
        var calling = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < rounds / 2; i++)
            {
                Interlocked.Increment(ref published);
                signal.Call();
            }
        }));

        await Task.WhenAll(calling);
        await waiting.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.That(published, Is.EqualTo(rounds));
    }
}
