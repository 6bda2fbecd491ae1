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

    [Test]
    public void What_is_removed_is_not_found_in_whichever_generation_it_was()
    {
        var known = new RecentlyKnown<int, bool>(generationMax: 2);
        known.Set(1, true);
        known.Set(2, true);
        known.Set(3, true);
        foreach (var i in new[] { 1, 3, 4 }) known.Remove(i);

        Assert.That(Enumerable.Range(0, 5).Where(i => known.TryGet(i, out _)), Is.EqualTo(new[] { 2 }));
    }

    /// <summary>A key is hashed at each step of a look-up: there the other thread has its turn.</summary>
    [Test]
    public void What_is_removed_while_somebody_makes_it_young_again_stays_removed([Range(1, 6)] int step)
    {
        var known = new RecentlyKnown<Key, bool>(generationMax: 1);
        known.Set(new Key(() => { }), true);
        var remover = new Thread(() => known.Remove(new Key(() => { })));
        var steps = 0;

        known.TryGet(new Key(() =>
        {
            if (++steps != step) return;
            remover.Start();
            SpinWait.SpinUntil(() => !remover.IsAlive || remover.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
        }), out _);
        if (steps < step) remover.Start();
        remover.Join();

        Assert.That(steps, Is.GreaterThan(1), "it was old");
        Assert.That(known.TryGet(new Key(() => { }), out _), Is.False);
    }

    private sealed class Key(Action hashed)
    {
        public override bool Equals(object? other) => other is Key;

        public override int GetHashCode()
        {
            hashed();
            return 1;
        }
    }
}
