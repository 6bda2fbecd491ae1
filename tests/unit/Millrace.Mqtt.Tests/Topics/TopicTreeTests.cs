using CsCheck;
using Millrace.Mqtt.Topics;

namespace Millrace.Mqtt.Tests.Topics;

public class TopicTreeTests
{
    [Test]
    public void It_finds_what_a_naive_matcher_finds_however_subscriptions_come_and_go()
    {
        var change = Gen.Select(NaiveTopics.Filter, Gen.Int[0, 3], Gen.Bool);
        Gen.Select(change.List[0, 40], NaiveTopics.Topic.List[1, 10]).Sample((changes, topics) =>
        {
            var tree = new TopicTree<string>();
            var model = new HashSet<(string Filter, string Who)>();
            foreach (var (filter, number, adds) in changes)
            {
                var one = (filter, $"{number} by {filter}");
                if (!adds) Assert.That(tree.Remove(filter.Bytes(), one.Item2), Is.EqualTo(model.Remove(one)));
                else if (model.Add(one)) tree.Add(filter.Bytes(), one.Item2);
            }

            Assert.That(tree.Count, Is.EqualTo(model.Count));
            foreach (var topic in topics)
            {
                var expected = model.Where(s => NaiveTopics.Matches(s.Filter, topic)).Select(s => s.Who);
                Assert.That(Match(tree, topic).Order(), Is.EqualTo(expected.Order()), topic);
            }
        }, iter: 2_000);
    }

    [Test]
    public void A_group_is_found_by_its_filter_as_long_as_it_has_a_member()
    {
        var tree = new TopicTree<string>();
        string[] filters = ["$share/g/a/+", "$share/g/a/#", "$share/g/#", "$share/h/a/+", "$share/g/+/b", "$share/g/a"];
        foreach (var filter in filters)
        {
            Assert.That(tree.FindGroup(filter.Bytes()), Is.Null, filter);
            tree.Add(filter.Bytes(), filter);
        }

        tree.Add("a/+"u8, "own");
        foreach (var filter in filters)
        {
            var members = new List<string>();
            tree.FindGroup(filter.Bytes())!.AddTo(members);
            Assert.That(members, Is.EqualTo([filter]));
            tree.Remove(filter.Bytes(), filter);
            Assert.That(tree.FindGroup(filter.Bytes()), Is.Null, filter);
        }
    }

    [Test]
    public void Nothing_is_left_of_subscriptions_that_have_gone() =>
        NaiveTopics.Filter.List[1, 20].Sample(filters =>
        {
            var tree = new TopicTree<int>();
            for (var i = 0; i < filters.Count; i++) tree.Add(filters[i].Bytes(), i);
            for (var i = 0; i < filters.Count; i++) Assert.That(tree.Remove(filters[i].Bytes(), i), Is.True);
            Assert.That((tree.Count, tree.IsBare), Is.EqualTo((0, true)));
        });

    [Test]
    public void Members_of_a_group_take_turns_and_groups_and_others_do_not_care()
    {
        var tree = new TopicTree<string>();
        foreach (var member in new[] { "m1", "m2", "m3" }) tree.Add("$share/g/a/+"u8, member);
        tree.Add("$share/h/a/+"u8, "h1");
        tree.Add("$share/g/a/#"u8, "g on another filter");
        tree.Add("a/x"u8, "own");

        var turns = Enumerable.Range(0, 30).Select(_ => Match(tree, "a/x")).ToList();
        foreach (var turn in turns)
        {
            Assert.That(turn, Is.SupersetOf(new[] { "own", "h1", "g on another filter" }));
            Assert.That(turn, Has.Count.EqualTo(4));
        }

        foreach (var three in turns.Chunk(3))
        {
            Assert.That(three.SelectMany(t => t).Where(who => who[0] == 'm').Order(),
                Is.EqualTo(new[] { "m1", "m2", "m3" }));
        }
    }

    [Test]
    public void Of_a_group_the_one_that_is_readiest_is_given_the_message()
    {
        var readiness = new Dictionary<string, MemberReadiness>
        {
            ["m1"] = MemberReadiness.Full,
            ["m2"] = MemberReadiness.Ready,
            ["m3"] = MemberReadiness.Keeps,
        };
        var tree = new TopicTree<string>(who => readiness[who]);
        foreach (var who in readiness.Keys) tree.Add("$share/g/a"u8, who);
        Assert.That(Turns(), Is.All.EqualTo("m2"));

        readiness["m2"] = MemberReadiness.Full;
        Assert.That(Turns(), Is.All.EqualTo("m3"));

        readiness["m3"] = MemberReadiness.Full;
        Assert.That(Turns().Distinct(), Has.Exactly(3).Items);
        foreach (var who in readiness.Keys) Assert.That(tree.Remove("$share/g/a"u8, who), Is.True);
        Assert.That((Match(tree, "a").Count, tree.IsBare), Is.EqualTo((0, true)));

        List<string> Turns() => Enumerable.Range(0, 6).SelectMany(_ => Match(tree, "a")).ToList();
    }

    [Test]
    public void A_group_names_its_members_from_behind_the_one_whose_turn_it_was()
    {
        var tree = new TopicTree<string>();
        foreach (var who in new[] { "m1", "m2", "m3" }) tree.Add("$share/g/a"u8, who);
        tree.Add("a"u8, "own");
        for (var i = 0; i < 4; i++)
        {
            var into = new List<TopicMatch<string>>();
            tree.Match("a"u8, into);
            Assert.That(into[0], Is.EqualTo(new TopicMatch<string>("own", Group: null)));
            var members = new List<string>();
            into[1].Group!.AddTo(members);
            Assert.That(members.Order(), Is.EqualTo(new[] { "m1", "m2", "m3" }));
            Assert.That(members[^1], Is.EqualTo(into[1].Subscriber));
        }
    }

    [TestCase("a/#/b")]
    [TestCase("")]
    [TestCase("$share/g")]
    [TestCase("$share//a")]
    [TestCase("$share/+/a")]
    [TestCase("$share/g/")]
    [TestCase("$share/g/a+")]
    public void A_filter_that_is_none_is_refused(string filter) =>
        Assert.Throws<ArgumentException>(() => new TopicTree<int>().Add(filter.Bytes(), 1));

    [Test]
    public void Levels_are_bounded_in_filters_and_not_in_topics()
    {
        var tree = new TopicTree<int>();
        var deepest = string.Join('/', Enumerable.Repeat("+", TopicTree.LevelsMax));
        tree.Add(deepest.Bytes(), 1);
        tree.Add("#"u8, 2);
        Assert.Throws<ArgumentException>(() => tree.Add((deepest + "/+").Bytes(), 3));
        Assert.That(Match(tree, new string('/', 60_000)), Is.EqualTo(new[] { 2 }));
        Assert.That(Match(tree, new string('/', TopicTree.LevelsMax - 1)).Order(), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public void Going_costs_no_more_where_many_are()
    {
        var few = RemoveAll(2_000);
        var many = RemoveAll(40_000);
        Assert.That(many, Is.LessThan(few * 20 * 4));
    }

    [Test]
    public void A_match_allocates_nothing()
    {
        var tree = new TopicTree<string>();
        foreach (var filter in new[] { "a/+/c", "a/#", "+/b/+", "a/b/c", "$share/g/a/b/c", "x" })
            tree.Add(filter.Bytes(), filter);
        var (into, topic) = (new List<TopicMatch<string>>(16), "a/b/c".Bytes());
        tree.Match(topic, into);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            into.Clear();
            tree.Match(topic, into);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(into, Has.Count.EqualTo(5));
    }

    /// <summary>Bytes that are allocated while all leave one filter, in an order that is none.</summary>
    private static long RemoveAll(int count)
    {
        var tree = new TopicTree<int>();
        for (var i = 0; i < count; i++) tree.Add("a/b"u8, i);
        var leaving = Enumerable.Range(0, count).ToArray();
        new Random(5).Shuffle(leaving);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var each in leaving) Assert.That(tree.Remove("a/b"u8, each), Is.True);
        Assert.That(tree.IsBare);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Test]
    public async Task Readers_always_find_what_stays_and_never_what_is_gone_for_good()
    {
        var tree = new TopicTree<string>();
        for (var i = 0; i < 50; i++) tree.Add($"a/{i}/+".Bytes(), $"stays {i}");
        using var stop = new CancellationTokenSource();
        using var busy = new CountdownEvent(2);
        var readers = Enumerable.Range(0, 2).Select(seed => Task.Factory.StartNew(() =>
        {
            var (random, into, count) = (new Random(seed), new List<TopicMatch<string>>(), 0);
            while (!stop.IsCancellationRequested)
            {
                var i = random.Next(50);
                into.Clear();
                tree.Match($"a/{i}/x".Bytes(), into);
                Assert.That(into.Count(each => each.Subscriber == $"stays {i}"), Is.EqualTo(1));
                Assert.That(into.All(each => each.Subscriber.EndsWith($" {i}")), Is.True);
                if (++count == 1_000) busy.Signal();
            }

            return count;
        }, TaskCreationOptions.LongRunning)).ToList();
        var writing = new Random(7);
        for (var round = 0; (round < 20_000 || !busy.IsSet) && !readers.Exists(r => r.IsFaulted); round++)
        {
            var i = writing.Next(200);
            var filter = new[] { $"a/{i}/+", $"a/{i}/#", $"$share/g/a/{i}/x" }[writing.Next(3)].Bytes();
            tree.Add(filter, $"passes {i}");
            Assert.That(tree.Remove(filter, $"passes {i}"), Is.True);
        }

        await stop.CancelAsync();
        Assert.That(await Task.WhenAll(readers), Is.All.GreaterThanOrEqualTo(1_000));
        Assert.That(tree.Count, Is.EqualTo(50));
    }

    private static List<T> Match<T>(TopicTree<T> tree, string topic)
        where T : notnull
    {
        var into = new List<TopicMatch<T>>();
        tree.Match(topic.Bytes(), into);
        return into.ConvertAll(each => each.Subscriber);
    }
}
