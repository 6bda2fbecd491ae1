using Millrace.Stores.Queries;

namespace Millrace.Contract.Tests.Stores;

public abstract class QueryStoreContract : StoreContract<IQueryStore>
{
    [Test]
    public async Task A_query_comes_back_whole_after_a_restart()
    {
        var query = Query("q") with
        {
            Text = "SELECT 'å'",
            Outputs = ["a", "b"],
            Options = new QueryOptions
            {
                LateTolerance = TimeSpan.FromMilliseconds(1500),
                OutOfOrderTolerance = TimeSpan.FromSeconds(2),
                Policy = EventOrderPolicy.Drop,
                OnError = RowErrorPolicy.Stop,
                WarmOutputs = false,
                ArchiveOutputs = true,
                StateBytesMax = 1 << 20,
                StartFrom = "earliest",
            },
        };
        Assert.That(await Store.SaveAsync(query, 0), Is.True);
        var start = await Store.FixStartAsync("q", 1, new Dictionary<string, long> { ["telemetry/0"] = 7 });
        Reopen();

        var found = (await Store.FindAsync("q"))!;
        Assert.That(found with { StartOffsets = query.StartOffsets, Outputs = query.Outputs }, Is.EqualTo(query));
        Assert.That(found.Outputs, Is.EqualTo(query.Outputs));
        Assert.That(found.StartOffsets, Is.EqualTo(start).And.Contains(KeyValuePair.Create("telemetry/0", 7L)));
    }

    [Test]
    public async Task A_query_is_replaced_only_over_the_expected_version()
    {
        Assert.That(await Store.SaveAsync(Query("q"), 1), Is.False);
        Assert.That(await Store.SaveAsync(Query("q"), 0), Is.True);
        Assert.That(await Store.SaveAsync(Query("q"), 0), Is.False);
        Assert.That(await Store.SaveAsync(Query("q") with { Version = 2, Text = "SELECT 2" }, 1), Is.True);
        Assert.That(await Store.SaveAsync(Query("q") with { Version = 2 }, 1), Is.False);
        Assert.That((await Store.FindAsync("q"))!.Text, Is.EqualTo("SELECT 2"));
    }

    [Test]
    public async Task A_version_may_be_replaced_by_itself_and_keeps_where_it_began()
    {
        await Store.SaveAsync(Query("q"), 0);
        await Store.FixStartAsync("q", 1, new Dictionary<string, long> { ["telemetry/0"] = 7 });
        Assert.That(await Store.SaveAsync(Query("q") with { Outputs = ["a"] }, 1), Is.True);
        var found = (await Store.FindAsync("q"))!;
        Assert.That(found.Outputs, Is.EqualTo((string[])["a"]));
        Assert.That(found.StartOffsets, Contains.Key("telemetry/0"));
        Assert.That(await Store.LastVersionAsync("q"), Is.EqualTo(1));
    }

    [Test]
    public async Task Of_changes_that_race_on_a_version_one_wins()
    {
        for (var version = 0; version < 4; version++)
        {
            var expected = version;
            var won = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () => await Store.SaveAsync(
                Query("q") with { Version = expected + 1, Text = $"{i}" }, expected))));
            Assert.That(won.Count(w => w), Is.EqualTo(1));
            Assert.That((await Store.FindAsync("q"))!.Text, Is.EqualTo($"{Array.IndexOf(won, true)}"));
        }
    }

    [Test]
    public async Task Where_a_version_begins_is_fixed_once_though_many_ask_at_once()
    {
        await Store.SaveAsync(Query("q"), 0);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
            await Store.FixStartAsync("q", 1, new Dictionary<string, long> { ["telemetry/0"] = i }))));
        Assert.That(answers.Select(a => a["telemetry/0"]).Distinct().Count(), Is.EqualTo(1));
        Assert.That((await Store.FindAsync("q"))!.StartOffsets, Is.EqualTo(answers[0]));

        await Store.SaveAsync(Query("q") with { Version = 2 }, 1);
        Assert.That((await Store.FindAsync("q"))!.StartOffsets, Is.Empty);
        var next = await Store.FixStartAsync("q", 2, new Dictionary<string, long> { ["telemetry/0"] = 99 });
        Assert.That(next["telemetry/0"], Is.EqualTo(99));
    }

    [Test]
    public async Task A_state_of_a_version_is_not_set_of_the_one_that_replaced_it()
    {
        await Store.SaveAsync(Query("q"), 0);
        await Store.SaveAsync(Query("q") with { Version = 2 }, 1);

        Assert.That(await Store.SetStateAsync("q", QueryState.Failed, onlyVersion: 1), Is.False);
        Assert.That((await Store.FindAsync("q"))!.State, Is.EqualTo(QueryState.Running));
        Assert.That(await Store.SetStateAsync("q", QueryState.Failed, onlyVersion: 2), Is.True);
        Assert.That((await Store.FindAsync("q"))!.State, Is.EqualTo(QueryState.Failed));
        Assert.That(await Store.SetStateAsync("none", QueryState.Failed, onlyVersion: 1), Is.False);
    }

    [Test]
    public async Task A_state_is_changed_alone_and_the_list_is_in_order_of_names()
    {
        foreach (var name in new[] { "b", "a", "c" }) await Store.SaveAsync(Query(name), 0);
        Assert.That(await Store.SetStateAsync("b", QueryState.Paused), Is.True);
        Assert.That(await Store.SetStateAsync("none", QueryState.Paused), Is.False);

        Assert.That((await Store.ListAsync()).Select(q => (q.Name, q.State)), Is.EqualTo(new[]
        {
            ("a", QueryState.Running), ("b", QueryState.Paused), ("c", QueryState.Running),
        }));
    }

    [Test]
    public async Task Nothing_of_a_deleted_query_is_left_for_the_next_of_its_name()
    {
        await Store.SaveAsync(Query("q"), 0);
        await Store.FixStartAsync("q", 1, new Dictionary<string, long> { ["telemetry/0"] = 7 });
        await Store.WriteStatusAsync(Status("q", 5));
        Assert.That(await Store.DeleteAsync("q", 1), Is.True);
        Assert.That(await Store.DeleteAsync("q", 1), Is.False);
        Assert.That(await Store.FindAsync("q"), Is.Null);
        Assert.That(await Store.StatusAsync("q"), Is.Null);

        await Store.SaveAsync(Query("q"), 0);
        Assert.That((await Store.FindAsync("q"))!.StartOffsets, Is.Empty);
    }

    [Test]
    public async Task A_deletion_takes_nothing_of_a_version_that_was_applied_since()
    {
        await Store.SaveAsync(Query("q"), 0);
        await Store.SaveAsync(Query("q") with { Version = 2 }, 1);
        var second = await Store.FixStartAsync("q", 2, new Dictionary<string, long> { ["telemetry/0"] = 7 });
        Assert.That(await Store.DeleteAsync("q", 1), Is.False);
        var found = (await Store.FindAsync("q"))!;
        Assert.That((found.Version, found.StartOffsets), Is.EqualTo((2, second)));

        // As of one that is applied, and begins, while the rest of the one before is still being removed.
        var third = await Store.FixStartAsync("q", 3, new Dictionary<string, long> { ["telemetry/0"] = 9 });
        Assert.That(await Store.DeleteAsync("q", 2), Is.True);
        await Store.SaveAsync(Query("q") with { Version = 3 }, 0);
        Assert.That((await Store.FindAsync("q"))!.StartOffsets, Is.EqualTo(third));
        Assert.That((await Store.FixStartAsync("q", 2, third))["telemetry/0"], Is.EqualTo(9), "of 2 nothing is left");
    }

    [Test]
    public async Task The_last_version_of_a_name_outlives_the_query()
    {
        Assert.That(await Store.LastVersionAsync("q"), Is.Zero);
        await Store.SaveAsync(Query("q"), 0);
        await Store.SaveAsync(Query("q") with { Version = 2 }, 1);
        await Store.SaveAsync(Query("r"), 0);
        await Store.DeleteAsync("q", 2);
        Reopen();

        Assert.That(await Store.LastVersionAsync("q"), Is.EqualTo(2));
        await Store.SaveAsync(Query("q") with { Version = 3 }, 0);
        Assert.That(await Store.LastVersionAsync("q"), Is.EqualTo(3));
    }

    [Test]
    public async Task The_last_status_is_kept()
    {
        Assert.That(await Store.StatusAsync("q"), Is.Null);
        await Store.WriteStatusAsync(Status("q", 1));
        await Store.WriteStatusAsync(Status("q", 2));
        await Store.WriteStatusAsync(Status("r", 3));
        Assert.That(await Store.StatusAsync("q"), Is.EqualTo(Status("q", 2)));
    }

    [Test]
    public async Task What_several_nodes_say_of_a_query_is_told_together()
    {
        var one = Status("q", 10) with { Node = "a", State = QueryState.Running, Error = null, CountedSince = Noon };
        await Store.WriteStatusAsync(one with { RowsIn = 1 });
        await Store.WriteStatusAsync(one);
        var other = one with { Node = "b", RowsIn = 5, CountedSince = Noon.AddHours(-1) };
        await Store.WriteStatusAsync(other with { UpdatedAt = Noon.AddSeconds(3) });
        await Store.WriteStatusAsync(one with { Node = "gone", RowsIn = 90, UpdatedAt = Noon.AddMinutes(-1) });
        await Store.WriteStatusAsync(one with { Node = "old", Version = 0, RowsIn = 70, UpdatedAt = Noon });

        var together = await Store.StatusAsync("q");
        Assert.That(together, Is.EqualTo(one with
        {
            Node = "",
            RowsIn = 15,
            RowsOut = 4,
            RowsFailed = 6,
            RowsInPerSecond = 9,
            RowsOutPerSecond = 11,
            LagRecords = 12,
            CountedSince = Noon.AddHours(-1),
            UpdatedAt = Noon.AddSeconds(3),
        }));
    }

    private static QueryStatus Status(string name, long rowsIn) => new(
        name, 1, QueryState.Failed, "SP-0001", rowsIn, 2, 3, 4.5, 5.5, 6, Noon, Noon);

    private static QueryConfig Query(string name) => new()
    {
        Name = name,
        Version = 1,
        Text = "SELECT 1",
        CreatedAt = Noon,
        UpdatedAt = Noon.AddTicks(7),
    };
}
