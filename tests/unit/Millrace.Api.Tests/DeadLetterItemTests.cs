using Millrace.Api.DeadLetters;
using Millrace.Contracts;
using Millrace.Stores.DeadLetters;

namespace Millrace.Api.Tests;

public class DeadLetterItemTests
{
    [TestCase(1_780_000_000_000_000, 9999)]
    [TestCase(long.MinValue, 1)]
    public void A_record_with_a_time_that_cannot_be_said_is_shown_with_the_nearest(long timestampMs, int year)
    {
        var letter = new DeadLetter(DeadLetterStages.WarmWriter, null, 0, "telemetry", 0, 1, -1, "SP-0013", "",
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null, timestampMs, [], []);

        var item = DeadLetterItem.Of(
            new StoredDeadLetter(letter.Id, letter, DeadLetterState.Open, 0, DateTimeOffset.UnixEpoch));

        Assert.That(item.EnqueuedAt.Year, Is.EqualTo(year));
    }
}
