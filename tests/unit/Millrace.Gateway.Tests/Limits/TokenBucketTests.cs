using Millrace.Gateway.Limits;

namespace Millrace.Gateway.Tests.Limits;

public class TokenBucketTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void A_burst_is_there_at_once_and_then_one_waits_for_the_rate()
    {
        var bucket = new TokenBucket(10, TimeSpan.FromSeconds(2));
        Assert.That(bucket.Available(0), Is.EqualTo(20));
        bucket.Take(20, 0);

        Assert.That(bucket.Available(0), Is.Zero);
        Assert.That(bucket.Wait(0).TotalMilliseconds, Is.EqualTo(100).Within(0.01));
        Assert.That(bucket.Available(Second), Is.EqualTo(10));
        Assert.That(bucket.Available(60 * Second), Is.EqualTo(20), "no more is gathered than a burst");
    }

    [Test]
    public void What_was_taken_beyond_is_waited_for()
    {
        var bucket = new TokenBucket(10, TimeSpan.FromSeconds(1));
        bucket.Take(30, 0);

        Assert.That(bucket.Wait(0).TotalSeconds, Is.EqualTo(2.1).Within(0.001));
        Assert.That(bucket.Available(2 * Second), Is.Zero);
        Assert.That(bucket.Available(3 * Second), Is.EqualTo(10));
    }

    [Test]
    public void Without_a_rate_nothing_waits()
    {
        var bucket = new TokenBucket(0, TimeSpan.FromSeconds(1));
        bucket.Take(long.MaxValue, 0);

        Assert.That(bucket.Available(0), Is.EqualTo(long.MaxValue));
        Assert.That(bucket.Wait(0), Is.EqualTo(TimeSpan.Zero));
    }

    /// <summary>Whoever waits as long as he is told to finds a token, and over time gets the rate, not more.</summary>
    [Test]
    public void Waiting_as_told_gives_a_token_and_the_rate_in_the_end([Values(0.5, 1, 3, 7, 1_000, 33_333)] double rate)
    {
        var bucket = new TokenBucket(rate, TimeSpan.FromSeconds(2));
        var now = 17L;
        var taken = 0L;
        while (now < 600 * Second && taken < 50_000)
        {
            now += bucket.Wait(now).Ticks * TimeSpan.NanosecondsPerTick;
            var there = bucket.Available(now);
            Assert.That(there, Is.Positive, $"after {taken} at {now}");
            bucket.Take(there, now);
            taken += there;
        }

        var due = rate * ((now / (double)Second) + 2);
        Assert.That(taken, Is.LessThanOrEqualTo(due + 1).And.GreaterThan(due * 0.98 - 2));
    }
}
