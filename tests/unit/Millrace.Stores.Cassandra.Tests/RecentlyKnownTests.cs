namespace Millrace.Stores.Cassandra.Tests;

public class RecentlyKnownTests
{
    [Test]
    public void What_is_met_again_stays_however_many_others_come()
    {
        var known = new RecentlyKnown<int, string>(generationMax: 10);
        known.Set(-1, "stays");
        for (var i = 0; i < 1_000; i++)
        {
            Assert.That(known.TryGet(-1, out var value), Is.True, $"after {i} others");
            Assert.That(value, Is.EqualTo("stays"));
            known.Set(i, "comes");
        }
    }

    [Test]
    public void A_generation_of_the_last_ones_is_there_and_no_more_than_two([Range(1, 45)] int count)
    {
        var known = new RecentlyKnown<int, bool>(generationMax: 10);
        for (var i = 0; i < count; i++) known.Set(i, true);
        for (var i = count - 1; i >= Math.Max(0, count - 10); i--) Assert.That(known.TryGet(i, out _), Is.True, $"{i}");
        Assert.That(Enumerable.Range(0, Math.Max(0, count - 20)).Where(i => known.TryGet(i, out _)), Is.Empty);
    }

    [Test]
    public void What_is_set_anew_is_what_is_found_in_whichever_generation_it_was()
    {
        var known = new RecentlyKnown<int, string>(generationMax: 2);
        known.Set(1, "young");
        known.Set(1, "again");
        Assert.That(known.TryGet(1, out var young) ? young : null, Is.EqualTo("again"));

        known.Set(2, "fills the generation");
        known.Set(1, "anew");
        Assert.That(known.TryGet(1, out var anew) ? anew : null, Is.EqualTo("anew"));
    }
}
