using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;

namespace Millrace.Contract.Tests.Stores;

public abstract class DeadLetterStoreContract : StoreContract<IDeadLetterStore>
{
    [Test]
    public async Task A_letter_comes_back_whole_after_a_restart()
    {
        var letter = Letter(1) with { Query = "q", QueryVersion = 3, Key = [1, 2], Element = 4 };
        await Store.WriteAsync(Partition(0), [letter, Letter(2)], new SinkPosition(2));
        Reopen();

        var found = (await Store.FindAsync(letter.Id))!;
        Assert.That(found.Letter with { Key = letter.Key, Headers = letter.Headers, Value = letter.Value },
            Is.EqualTo(letter));
        Assert.That((found.Letter.Key, found.Letter.Value), Is.EqualTo((letter.Key, letter.Value)));
        Assert.That(found.Letter.Headers.Select(h => (h.Name, h.Value)), Is.EqualTo(new[] { ("h", new byte[] { 1 }) }));
        Assert.That((found.State, found.Replays), Is.EqualTo((DeadLetterState.Open, 0)));
        Assert.That((await Store.FindAsync(Letter(2).Id))!.Letter.Key, Is.Null);
        Assert.That(await Store.FindAsync("none"), Is.Null);
        Assert.That(await Store.CountAsync(), Is.EqualTo(2));
        Assert.That(await Store.PositionAsync(Partition(0)), Is.EqualTo(new SinkPosition(2)));
    }

    [Test]
    public async Task A_letter_found_again_keeps_its_first_time_and_a_failed_replay_opens_it_again()
    {
        await Store.WriteAsync(Partition(0), [Letter(42)], new SinkPosition(1));
        var id = Letter(42).Id;
        Assert.That(await Store.SetStateAsync(id, DeadLetterState.Replaying), Is.True);
        var later = Letter(42) with { FirstFailedAt = Noon.AddHours(1), LastFailedAt = Noon.AddHours(1) };
        await Store.WriteAsync(Partition(0), [later], new SinkPosition(2));

        var found = (await Store.FindAsync(id))!;
        Assert.That((found.State, found.Replays), Is.EqualTo((DeadLetterState.Open, 1)));
        Assert.That((found.Letter.FirstFailedAt, found.Letter.LastFailedAt), Is.EqualTo((Noon, Noon.AddHours(1))));
        Assert.That(await Store.CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_letter_that_was_replayed_stays_so_when_the_log_is_read_again()
    {
        await Store.WriteAsync(Partition(0), [Letter(42)], new SinkPosition(1));
        await Store.SetStateAsync(Letter(42).Id, DeadLetterState.Replaying);
        Assert.That(await Store.SetStateAsync(Letter(42).Id, DeadLetterState.Replayed), Is.True);
        await Store.WriteAsync(Partition(0), [Letter(42)], new SinkPosition(1));

        Assert.That((await Store.FindAsync(Letter(42).Id))!.State, Is.EqualTo(DeadLetterState.Replayed));
        Assert.That(await Store.SetStateAsync("none", DeadLetterState.Replayed), Is.False);
    }

    [Test]
    public async Task Of_all_who_ask_for_a_replay_one_does()
    {
        await Store.WriteAsync(Partition(0), [Letter(42)], new SinkPosition(1));
        var id = Letter(42).Id;
        var asked = await Task.WhenAll(Enumerable.Range(0, 4).Select(
            _ => Store.SetStateAsync(id, DeadLetterState.Replaying).AsTask()));
        Assert.That(asked.Count(isFirst => isFirst), Is.EqualTo(1));
        Assert.That((await Store.FindAsync(id))!.Replays, Is.EqualTo(1));

        await Store.SetStateAsync(id, DeadLetterState.Replayed);
        Assert.That(await Store.SetStateAsync(id, DeadLetterState.Replaying), Is.False, "it succeeded already");
        Assert.That((await Store.FindAsync(id))!.State, Is.EqualTo(DeadLetterState.Replayed));
    }

    /// <summary>As after a crash between the letters and the position, or of positions that were put back.</summary>
    [Test]
    public async Task What_the_log_says_once_more_takes_nothing_back()
    {
        var again = Letter(42) with { LastFailedAt = Noon.AddHours(1) };
        await Store.WriteAsync(Partition(0), [Letter(42), again], new SinkPosition(2));
        await Store.SetStateAsync(again.Id, DeadLetterState.Replaying);
        await Store.WriteAsync(Partition(0), [Letter(42)], new SinkPosition(3));
        await Store.WriteAsync(Partition(0), [again], new SinkPosition(4));

        var found = (await Store.FindAsync(again.Id))!;
        Assert.That((found.State, found.Replays), Is.EqualTo((DeadLetterState.Replaying, 1)), "it was asked for since");
        Assert.That(found.Letter.LastFailedAt, Is.EqualTo(again.LastFailedAt));
        Assert.That((await Store.ListAsync(new DeadLetterFilter())).Items.Select(letter => letter.Id),
            Is.EqualTo(new[] { again.Id }));
    }

    [Test]
    public async Task The_list_has_what_fits_newest_failure_first_whatever_the_page()
    {
        var letters = Enumerable.Range(0, 60).Select(i => Letter(i) with
        {
            Stage = i % 2 == 0 ? "query" : "archiver",
            Query = i % 2 == 0 ? $"q{i % 3}" : null,
            LastFailedAt = Noon.AddSeconds(i / 4),
        }).ToList();
        await Store.WriteAsync(Partition(0), letters, new SinkPosition(60));
        foreach (var letter in letters.Where((_, i) => i % 5 == 0))
            await Store.SetStateAsync(letter.Id, DeadLetterState.Replaying);

        var filters =
            from stage in new[] { null, "query", "none" }
            from query in new[] { null, "q0" }
            from state in new DeadLetterState?[] { null, DeadLetterState.Open, DeadLetterState.Replaying }
            select new DeadLetterFilter(stage, query, state, 7);
        foreach (var f in filters)
        {
            var got = await AllAsync(7, token => Store.ListAsync(f with { Continuation = token }));
            var expected = letters.Where((l, i) => (f.Stage is null || l.Stage == f.Stage)
                    && (f.Query is null || l.Query == f.Query)
                    && (f.State is null || (f.State == DeadLetterState.Replaying) == (i % 5 == 0)))
                .OrderByDescending(l => l.LastFailedAt).ThenByDescending(l => l.Id, StringComparer.Ordinal);
            Assert.That(got.Select(l => l.Id), Is.EqualTo(expected.Select(l => l.Id)), $"{f}");
        }
    }

    [Test]
    public async Task A_page_ends_where_it_has_looked_at_enough_and_the_next_one_goes_on(
        [Values(1, 7, 100)] int lookedAt, [Values(3, 50)] int limit)
    {
        var letters = Enumerable.Range(0, 60).Select(i => Letter(i) with
        {
            Stage = i % 2 == 0 ? "query" : "archiver",
            Query = i % 2 == 0 ? $"q{i % 3}" : null,
            LastFailedAt = Noon.AddSeconds(-i),
        }).ToList();
        await Store.WriteAsync(Partition(0), letters, new SinkPosition(60));
        foreach (var letter in letters.Where((_, i) => i % 5 == 0))
            await Store.SetStateAsync(letter.Id, DeadLetterState.Replaying);
        var asked = letters.Where((_, i) => i % 5 == 0).ToHashSet();

        // Each with the letters that are looked at for it: all, or those that are to be replayed.
        (DeadLetterFilter, Func<DeadLetter, bool>)[] searches =
        [
            (new DeadLetterFilter(Query: "q0"), _ => true),
            (new DeadLetterFilter("none"), _ => true),
            (new DeadLetterFilter("query", State: DeadLetterState.Open), _ => true),
            (new DeadLetterFilter("archiver", State: DeadLetterState.Replaying), asked.Contains),
        ];
        foreach (var (filter, isLookedAt) in searches)
        {
            var expected = new Queue<DeadLetter>(letters.Where(isLookedAt));
            string? token = null;
            do
            {
                var page = await Store.ListAsync(
                    filter with { LookedAtMax = lookedAt, Limit = limit, Continuation = token });
                var fit = new List<string>();
                for (var i = 0; i < lookedAt && fit.Count < limit && expected.TryDequeue(out var letter); i++)
                    if (Fits(filter, letter, asked.Contains(letter))) fit.Add(letter.Id);
                Assert.That(page.Items.Select(item => item.Id), Is.EqualTo(fit), $"{filter}");
                Assert.That(page.Continuation is null, Is.EqualTo(expected.Count == 0), $"{filter}");
                token = page.Continuation;
            }
            while (token is not null);
        }
    }

    [Test]
    public void A_token_that_is_none_is_told_by_its_code() => Assert.That(
        CodeOf(async () => await Store.ListAsync(new DeadLetterFilter(Continuation: "nonsense"))),
        Is.EqualTo("ST-0002"));

    private static bool Fits(DeadLetterFilter filter, DeadLetter letter, bool isAsked) =>
        (filter.Stage ?? letter.Stage) == letter.Stage && (filter.Query ?? letter.Query) == letter.Query
        && (filter.State is null || filter.State == DeadLetterState.Replaying == isAsked);

    protected static DeadLetter Letter(long offset) => new("archiver", null, 0, "telemetry", 1, offset, -1, "AR-0001",
        "why", Noon, Noon, null, 5, [new DeadLetterHeader("h", [1])], [2, 3]);
}
