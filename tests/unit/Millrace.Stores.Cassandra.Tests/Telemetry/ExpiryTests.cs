using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class ExpiryTests
{
    private const long NowMs = 1_800_000_000_000;

    [Test]
    public void A_row_lives_as_long_as_its_retention_from_when_it_was_enqueued()
    {
        var hour = TimeSpan.FromHours(1);

        Assert.That(Expiry.TryTtl(NowMs - 600_000, NowMs, hour, out var seconds), Is.True);
        Assert.That(seconds, Is.EqualTo(3_000));
        Assert.That(Expiry.TryTtl(NowMs - 3_600_000, NowMs, hour, out _), Is.False);
    }

    [Test]
    public void Without_retention_a_row_is_kept_for_good()
    {
        Assert.That(Expiry.TryTtl(0, NowMs, TimeSpan.Zero, out var seconds), Is.True);
        Assert.That(seconds, Is.Zero);
    }

    [Test]
    public void Longer_than_the_cluster_can_count_is_cut()
    {
        Assert.That(Expiry.TryTtl(NowMs, NowMs, TimeSpan.FromDays(10_000), out var seconds), Is.True);
        Assert.That(seconds, Is.EqualTo(Expiry.SecondsMax));
    }
}
