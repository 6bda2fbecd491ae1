using Millrace.Integration.Tests.Cluster;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Archive;

/// <summary>What befalls archivers as processes, over real brokers and a real S3 store, under load.</summary>
[Category("Faults")]
public class ArchiverFaultTests
{
    private const int KiB = 1 << 10;
    private static readonly string[] Archivers = ["archiver-1", "archiver-2"];

    [TestCase(1)]
    public async Task A_slow_store_delays_archiving_and_merging_and_nothing_is_lost(int seed)
    {
        await using var hub = await ArchiveHub.StartAsync(seed, Archivers);
        var random = new Random(seed);
        await hub.UnderLoadAsync(async () =>
        {
            for (var round = 0; round < 3; round++)
            {
                var before = await ArchivedAsync(hub);
                hub.Way.Slow(TimeSpan.FromMilliseconds(random.Next(100, 400)), random.Next(32, 128) * KiB);
                await Eventually.TrueAsync(
                    async () => await ArchivedAsync(hub) > before, "it goes on, slowly", TimeSpan.FromSeconds(60));
                await ClusterLoad.PauseAsync(random, 2_000, 4_000);

                // Later than a request may take: none is answered in time, and most have their effect.
                hub.Way.Slow(TimeSpan.FromSeconds(3), 0);
                await ClusterLoad.PauseAsync(random, 6_000, 8_000);
                hub.Way.Slow(TimeSpan.FromMilliseconds(20), 0);
                if (round == 1) await hub.EraseAsync("archiver-2");
                await ClusterLoad.PauseAsync(random, 1_000, 2_000);
            }

            hub.Way.Fast();
        });

        await hub.HoldsAsync();
        Assert.That(await hub.CountedAsync("restarts", ("reason", "failed")), Is.GreaterThan(0), "it was too slow");
        Assert.That(await hub.CountedAsync("compactions", ("reason", "done")), Is.GreaterThan(0));
    }

    /// <summary>
    /// It is silent for longer than its session, in the middle of what it wrote, and goes on as if it still had its
    /// partitions, beside the one that took them over.
    /// </summary>
    [TestCase(2)]
    public async Task An_archiver_is_paused_through_a_rebalance_and_resumed(int seed)
    {
        await using var hub = await ArchiveHub.StartAsync(seed, Archivers);
        var random = new Random(seed);
        await hub.UnderLoadAsync(async () =>
        {
            for (var round = 0; round < 4; round++)
            {
                var (paused, other) = (Archivers[round % 2], Archivers[(round + 1) % 2]);
                hub.Way.Slow(TimeSpan.FromMilliseconds(100), 0);
                await ClusterLoad.PauseAsync(random, 1_000, 3_000);
                hub[paused].Pause(true);
                hub.Way.Fast();
                var before = await hub.PositionsAsync(other);
                await Eventually.TrueAsync(
                    async () => (await hub.PositionsAsync(other)).Zip(before)
                        .All(pair => pair.First.Archived > pair.Second.LogNext),
                    $"{other} has taken over all partitions", TimeSpan.FromSeconds(60));
                if (round == 2) await hub.EraseAsync(other);
                hub[paused].Pause(false);
                await ClusterLoad.PauseAsync(random, 2_000, 4_000);
            }
        });

        await hub.HoldsAsync();
        Assert.That(await hub.CountedAsync("compactions", ("reason", "done")), Is.GreaterThan(0));
    }

    private static async Task<long> ArchivedAsync(ArchiveHub hub) =>
        (await hub.PositionsAsync()).Sum(partition => partition.Archived);
}
