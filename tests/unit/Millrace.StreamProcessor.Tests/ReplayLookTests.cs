using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Replays that were asked for while nobody heard.</summary>
public class ReplayLookTests
{
    [Test]
    public async Task More_letters_than_wait_at_once_that_nobody_here_answers_do_not_hide_one_that_is_answered()
    {
        await using var hub = new ProcessorFixture();
        await hub.StartTopicsAsync();
        var store = hub.Get<IDeadLetterStore>();
        var oldest = Letter(DeadLetterStages.WarmWriter, 0);
        List<DeadLetter> letters =
            [oldest, .. Enumerable.Range(1, 1_100).Select(i => Letter(DeadLetterStages.Gateway, i))];
        await store.WriteAsync(new TopicPartition("any", 0), letters, new SinkPosition(1));
        await Task.WhenAll(letters.Select(
            letter => store.SetStateAsync(letter.Id, DeadLetterState.Replaying).AsTask()));

        await hub.StartAsync(service => service is DeadLetterReplays);
        await Eventually.TrueAsync(async () => (await store.FindAsync(oldest.Id))!.State == DeadLetterState.Open,
            "the oldest is answered");
    }

    /// <summary>Of a topic whose records are never replayed into the warm store.</summary>
    private static DeadLetter Letter(string stage, int number)
    {
        var at = DateTimeOffset.UnixEpoch.AddSeconds(number);
        return new DeadLetter(stage, null, 0, Topics.Alerts, 0, number, 0, "SP-0001", "It failed.", at, at, null, 0, [],
            []);
    }
}
