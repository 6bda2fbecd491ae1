using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Rows of which nobody knows whether the log has them (LOG-0011).</summary>
public class UncertainAppendTests
{
    private const int Records = 5;
    private static readonly CheckpointKey Key = new("values", 1, 0);

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture(more: Register)).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_query_starts_again_and_no_row_is_missing_or_doubled(
        [Values(0, 2, Records)] int written, [Values(1, 3)] int times)
    {
        var queries = _hub.Get<IQueryStore>();
        await queries.SaveAsync(new QueryConfig
        {
            Name = Key.Query,
            Version = Key.Version,
            Text = "SELECT v INTO vals FROM telemetry",
            Outputs = ["vals"],
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, 0);
        await Eventually.TrueAsync(async () => await queries.StatusAsync(Key.Query) is not null, "it runs");
        var store = _hub.Get<ICheckpointStore>();
        await AppendAsync();
        await Eventually.TrueAsync(async () => await store.FindAsync(Key) is { } saved
            && saved.Inputs.Single().Offset == Records, "the first are answered");
        var owner = (await store.FindAsync(Key))!.Epoch;
        var log = (UncertainLog)_hub.Log;
        log.Fail(Topics.Output("vals"), times, written);

        await AppendAsync();
        await Eventually.TrueAsync(async () => await store.FindAsync(Key) is { } saved
            && saved.Inputs.Single().Offset == 2 * Records, "the others are answered");

        Assert.That(log.Failed, Is.EqualTo(times));
        Assert.That((await store.FindAsync(Key))!.Epoch, Is.EqualTo(owner + times), "an owner for each failure");
        Assert.That(await _hub.RowsAsync("vals"), Has.Count.EqualTo(2 * Records));
    }

    private static void Register(IServiceCollection services)
    {
        var inner = services.Last(each => each.ServiceType == typeof(IEventLog)).ImplementationFactory!;
        services.AddSingleton<IEventLog>(provider => new UncertainLog((IEventLog)inner(provider)));
    }

    /// <summary>Some records at once, whose rows are one append too.</summary>
    private async Task AppendAsync()
    {
        using var records = new RecordBatchBuilder();
        for (var v = 0; v < Records; v++)
        {
            records.Begin(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "pump"u8);
            records.End(Encoding.UTF8.GetBytes($$"""{"v":{{v}}}"""));
        }

        await _hub.Log.AppendAsync(new TopicPartition(Topics.Telemetry, 0), records);
    }
}
