using Millrace.Contracts;
using Millrace.Stores.DeadLetters;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>The warm writer on a store that fails.</summary>
public class WarmWriterFaultTests
{
    private const int Rows = 300;
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 0);
    private static readonly long[] RefusedOffsets = [0, 17, 18, 299];

    [Test]
    public async Task A_store_that_is_away_slows_the_writer_and_loses_nothing()
    {
        var store = new FaultyTelemetryStore(_ => false) { Failures = 7 };
        await using var hub = await StartAsync(store);

        await Eventually.TrueAsync(async () => (await hub.Log.CommittedAsync(
            ConsumerGroups.WarmWriter, Partition))?.NextOffset == Rows, "the position is committed");
        Assert.That(store.Offsets, Is.EqualTo(Enumerable.Range(0, Rows).Select(i => (long)i)));
        Assert.That(store.Writes, Is.GreaterThanOrEqualTo(8));
    }

    [Test]
    public async Task Rows_that_are_refused_for_good_become_dead_letters_and_all_others_are_stored()
    {
        var store = new FaultyTelemetryStore(row => RefusedOffsets.Contains(row.Offset));
        await using var hub = await StartAsync(store);

        await Eventually.TrueAsync(async () => (await hub.Log.CommittedAsync(
            ConsumerGroups.WarmWriter, Partition))?.NextOffset == Rows, "the position is committed");
        var expected = Enumerable.Range(0, Rows).Select(i => (long)i).Except(RefusedOffsets);
        Assert.That(store.Offsets, Is.EqualTo(expected));
        var letters = hub.Get<IDeadLetterStore>();
        await Eventually.TrueAsync(async () => await letters.CountAsync() == RefusedOffsets.Length, "letters are kept");
        var kept = (await letters.ListAsync(new DeadLetterFilter())).Items;
        Assert.That(kept.Select(letter => letter.Letter.Offset), Is.EquivalentTo(RefusedOffsets));
        Assert.That(kept.Select(letter => letter.Letter.ErrorCode), Is.All.EqualTo("SP-0002"));
    }

    /// <summary>All rows stand in the log before the writer starts, so that it takes many at once.</summary>
    private static async Task<ProcessorFixture> StartAsync(FaultyTelemetryStore store)
    {
        var hub = new ProcessorFixture(store);
        await hub.StartTopicsAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < Rows; i++) await hub.AppendAsync(0, now, $"d{i % 7}", "{}");
        await hub.StartAsync(service => service.GetType().Name != "HubTopics");
        return hub;
    }
}
