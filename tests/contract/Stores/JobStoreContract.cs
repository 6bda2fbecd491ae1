using Millrace.Stores.Jobs;

namespace Millrace.Contract.Tests.Stores;

public abstract class JobStoreContract : StoreContract<IJobStore>
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Test]
    public async Task A_lease_is_one_owners_until_it_ends_or_is_given_back()
    {
        Assert.That(await Store.TryLeaseAsync("job", "a", Noon, Minute), Is.True);
        Assert.That(await Store.TryLeaseAsync("job", "b", Noon, Minute), Is.False);
        Assert.That(await Store.TryLeaseAsync("other", "b", Noon, Minute), Is.True);
        Reopen();

        Assert.That(await Store.TryLeaseAsync("job", "a", Noon.AddSeconds(30), Minute), Is.True, "renewed");
        Assert.That(await Store.TryLeaseAsync("job", "b", Noon.AddSeconds(80), Minute), Is.False, "still lasts");
        Assert.That(await Store.TryLeaseAsync("job", "b", Noon.AddSeconds(90), Minute), Is.True, "ended");
        await Store.ReleaseAsync("job", "a");
        Assert.That(await Store.TryLeaseAsync("job", "a", Noon.AddSeconds(91), Minute), Is.False, "not a's to give");
        await Store.ReleaseAsync("job", "b");
        Assert.That(await Store.TryLeaseAsync("job", "a", Noon.AddSeconds(92), Minute), Is.True);
    }

    [Test]
    public async Task Of_many_that_ask_at_once_one_gets_the_lease()
    {
        var asked = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
            await Store.TryLeaseAsync("job", $"owner-{i}", Noon, Minute)));

        Assert.That(asked.Count(taken => taken), Is.EqualTo(1));
    }

    [Test]
    public async Task Runs_are_listed_newest_first_and_the_last_word_counts()
    {
        await Store.SaveRunAsync(Run("1", JobRunState.Running), TimeSpan.FromDays(30));
        await Store.SaveRunAsync(Run("2", JobRunState.Running), TimeSpan.FromDays(30));
        await Store.SaveRunAsync(Run("1", JobRunState.Failed) with { Error = "BA-0001: no", EndedAt = Noon },
            TimeSpan.FromDays(30));
        Reopen();

        Assert.That(await Store.ListRunsAsync("job", 10), Is.EqualTo(new[]
        {
            Run("2", JobRunState.Running),
            Run("1", JobRunState.Failed) with { Error = "BA-0001: no", EndedAt = Noon },
        }));
        Assert.That(await Store.ListRunsAsync("job", 1), Has.Count.EqualTo(1));
        Assert.That(await Store.ListRunsAsync("other", 10), Is.Empty);
    }

    [Test]
    public async Task A_schedule_is_where_it_was_left()
    {
        Assert.That(await Store.ServedUpToAsync("job"), Is.Null);
        await Store.SaveServedUpToAsync("job", Noon);
        await Store.SaveServedUpToAsync("job", Noon.AddHours(1));
        Reopen();

        Assert.That(await Store.ServedUpToAsync("job"), Is.EqualTo(Noon.AddHours(1)));
        Assert.That(await Store.ServedUpToAsync("other"), Is.Null);
    }

    [Test]
    public async Task A_schedule_does_not_go_back()
    {
        await Store.SaveServedUpToAsync("job", Noon.AddHours(1));
        await Store.SaveServedUpToAsync("job", Noon);
        Assert.That(await Store.ServedUpToAsync("job"), Is.EqualTo(Noon.AddHours(1)));
    }

    private static JobRun Run(string id, JobRunState state) =>
        new(id, "job", "2026-01-01", "schedule", 1, "node-a", state, Noon);
}
