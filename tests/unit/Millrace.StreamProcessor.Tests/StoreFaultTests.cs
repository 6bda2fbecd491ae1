using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Stores that are away for a moment: what looks at them, or tells them something, goes on.</summary>
public class StoreFaultTests
{
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture(more: Register)).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_querys_status_goes_on_after_one_that_could_not_be_written()
    {
        var store = _hub.Get<IQueryStore>();
        var config = Config("values", 1);
        await store.SaveAsync(config, 0);
        await SoonAsync(async () => await store.StatusAsync("values") is not null);
        var faulty = (Faulty<IQueryStore>)(object)store;
        faulty.Fail(nameof(IQueryStore.WriteStatusAsync), 1);
        await SoonAsync(() => ValueTask.FromResult(faulty.Failed == 1));

        await _hub.AppendAsync(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "pump", """{"v":1}""");
        await SoonAsync(async () => await store.StatusAsync("values") is { RowsOut: 1, LagRecords: 0 });

        await store.SaveAsync(Config("values", 2), 1);
        await SoonAsync(async () => await store.StatusAsync("values") is { Version: 2 });
    }

    [Test]
    public async Task A_replay_that_was_asked_for_is_found_after_the_store_did_not_answer()
    {
        var letters = _hub.Get<IDeadLetterStore>();
        var faulty = (Faulty<IDeadLetterStore>)(object)letters;
        faulty.Fail(nameof(IDeadLetterStore.ListAsync), 1);
        await SoonAsync(() => ValueTask.FromResult(faulty.Failed == 1));
        await _hub.AppendAsync(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), null, "{}");
        await SoonAsync(async () => await letters.CountAsync() == 1);
        var id = (await letters.ListAsync(new DeadLetterFilter())).Items[0].Id;
        await letters.SetStateAsync(id, DeadLetterState.Replaying);

        // It is tried, and refused again.
        await SoonAsync(async () => (await letters.FindAsync(id))!.State == DeadLetterState.Open);
    }

    [Test]
    public Task A_letter_that_its_query_refuses_again_is_not_replayed_though_the_store_missed_to_hear_of_it() =>
        RefuseTwiceAsync(
            Config("numbers", 1) with { Text = "SELECT CAST(v AS bigint) AS v INTO vals FROM telemetry" },
            """{"v":"none"}""");

    [Test]
    public Task Neither_is_one_that_the_time_policy_drops_when_it_comes_again()
    {
        var now = DateTimeOffset.UtcNow;
        return RefuseTwiceAsync(
            Config("timed", 1) with
            {
                Text = "SELECT CAST(v AS bigint) AS v INTO vals FROM telemetry TIMESTAMP BY t",
                Options = new QueryOptions { Policy = EventOrderPolicy.Drop },
            },
            $$"""{"v":"none","t":"{{now:O}}"}""", $$"""{"v":1,"t":"{{now.AddSeconds(1):O}}"}""");
    }

    /// <summary>The first body makes a letter, which is replayed twice; the store fails to hear of either.</summary>
    private async Task RefuseTwiceAsync(QueryConfig query, params string[] bodies)
    {
        var queries = _hub.Get<IQueryStore>();
        await queries.SaveAsync(query, 0);
        await SoonAsync(async () => await queries.StatusAsync(query.Name) is not null);
        foreach (var body in bodies)
            await _hub.AppendAsync(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "pump", body);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 1);
        await SoonAsync(async () => (await queries.StatusAsync(query.Name))!.LagRecords == 0);
        var id = (await letters.ListAsync(new DeadLetterFilter())).Items[0].Id;
        var faulty = (Faulty<ICheckpointStore>)(object)_hub.Get<ICheckpointStore>();
        faulty.Fail(nameof(ICheckpointStore.RefuseLateAsync), 2);
        for (var tries = 0; tries < 2; tries++)
        {
            await letters.SetStateAsync(id, DeadLetterState.Replaying);
            await SoonAsync(async () => (await letters.FindAsync(id))!.State != DeadLetterState.Replaying);
            Assert.That((await letters.FindAsync(id))!.State, Is.EqualTo(DeadLetterState.Open));
        }

        Assert.That(faulty.Failed, Is.EqualTo(2));
    }

    private static void Register(IServiceCollection services)
    {
        Faulty<IQueryStore>.Register(services);
        Faulty<IDeadLetterStore>.Register(services);
        Faulty<ICheckpointStore>.Register(services);
    }

    private static QueryConfig Config(string name, int version) => new()
    {
        Name = name,
        Version = version,
        Text = "SELECT v INTO vals FROM telemetry",
        Outputs = ["vals"],
        CreatedAt = DateTimeOffset.UtcNow,
        UpdatedAt = DateTimeOffset.UtcNow,
    };

    private static Task SoonAsync(
        Func<ValueTask<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what);
}
