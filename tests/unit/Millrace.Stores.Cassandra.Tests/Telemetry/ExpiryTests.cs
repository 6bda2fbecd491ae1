using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class ExpiryTests
{
    private const long NowMs = 1_800_000_000_000;
    private const long NoEnd = long.MaxValue;

    [Test]
    public void A_row_lives_as_long_as_its_retention_from_when_it_was_enqueued()
    {
        var hour = TimeSpan.FromHours(1);

        Assert.That(Expiry.TryTtl(NowMs - 600_000, NowMs, hour, NoEnd, out var seconds), Is.True);
        Assert.That(seconds, Is.EqualTo(3_000));
        Assert.That(Expiry.TryTtl(NowMs - 3_600_000, NowMs, hour, NoEnd, out _), Is.False);
    }

    [Test]
    public void Without_retention_a_row_is_kept_for_good()
    {
        Assert.That(Expiry.TryTtl(0, NowMs, TimeSpan.Zero, NoEnd, out var seconds), Is.True);
        Assert.That(seconds, Is.Zero);
    }

    [Test]
    public void Longer_than_the_cluster_can_count_is_cut()
    {
        Assert.That(Expiry.TryTtl(NowMs, NowMs, TimeSpan.FromDays(10_000), NoEnd, out var seconds), Is.True);
        Assert.That(seconds, Is.EqualTo(Expiry.SecondsMax));
    }

    [Test]
    public void Nothing_expires_later_than_nodes_before_version_5_take()
    {
        var years = TimeSpan.FromDays(15 * 365);
        Assert.That(Expiry.TryTtl(NowMs, NowMs, years, Expiry.EndBeforeVersion5, out var seconds), Is.True);
        var expires = DateTimeOffset.FromUnixTimeSeconds((NowMs / 1_000) + seconds);
        var last = new DateTimeOffset(2038, 1, 19, 3, 14, 6, TimeSpan.Zero);
        Assert.That(expires, Is.InRange(last - TimeSpan.FromDays(1), last));

        Assert.That(Expiry.TryTtl(NowMs, NowMs, years, NoEnd, out seconds), Is.True);
        Assert.That(seconds, Is.EqualTo(years.TotalSeconds));
        Assert.That(Expiry.Most(Expiry.EndBeforeVersion5 * 1_000, Expiry.EndBeforeVersion5),
            Is.EqualTo(Expiry.SecondsMax), "the node says that it takes no more, and no row is gone at once");
    }
}
