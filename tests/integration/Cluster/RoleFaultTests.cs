using System.Diagnostics;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What befalls processes, for long, over real brokers and under load.</summary>
[Category("Faults")]
public class RoleFaultTests
{
    /// <summary>In an order of chance, in which each has its turn before one has another.</summary>
    [TestCase(1)]
    public Task Each_role_is_killed_at_random_for_two_minutes(int seed) =>
        ClusterLoad.RunAsync(seed, async (hub, random) =>
        {
            var begun = Stopwatch.StartNew();
            string[] bag = [.. ClusterLoad.Nodes];
            var kills = bag.ToDictionary(node => node, _ => 0);
            while (begun.Elapsed < TimeSpan.FromMinutes(2))
            {
                random.Shuffle(bag);
                foreach (var node in bag)
                {
                    await ClusterLoad.PauseAsync(random, 500, 4_000);
                    await hub.KillAsync(node, TimeSpan.FromMilliseconds(random.Next(3_000)));
                    kills[node]++;
                }
            }

            TestContext.Out.WriteLine($"seed {seed}, {begun.Elapsed.TotalSeconds:0} s: {string.Join(", ", kills)}");
        });

    [TestCase(2)]
    public Task Two_stream_processors_join_and_leave(int seed) => ClusterLoad.RunAsync(seed, async (hub, random) =>
    {
        for (var round = 0; round < 4; round++)
        {
            await hub.StartAsync($"joining-{round}", "stream-processor");
            await ClusterLoad.PauseAsync(random, 2_000, 6_000);
            await hub.TerminateAsync("streams-2");
            await ClusterLoad.PauseAsync(random, 1_000, 4_000);
            await hub["streams-2"].StartRolesAsync("stream-processor");
            await ClusterLoad.PauseAsync(random, 1_000, 4_000);
            await hub.TerminateAsync($"joining-{round}");
        }
    });

    /// <summary>
    /// It goes on as if it still had its partitions, beside the one that took them over. Its checkpoints are refused;
    /// rows that it writes before that do not count, but most often its clock comes first, and it writes none.
    /// </summary>
    [TestCase(3)]
    public Task A_stream_processor_is_paused_across_a_rebalance_and_resumed(int seed) =>
        ClusterLoad.RunAsync(seed, async (hub, random) =>
        {
            await using var log = await hub.OpenLogAsync();
            for (var round = 0; round < 4; round++)
            {
                await ClusterLoad.PauseAsync(random, 2_000, 5_000);
                var node = hub[$"streams-{(round % 2) + 1}"];
                await node.PauseBetweenWritesAsync();
                await QueriesPassAsync(log, await EndsAsync(log));
                node.Pause(false);
            }

            await ClusterLoad.PauseAsync(random, 5_000, 8_000);
            var stale = await hub.CountedAsync("millrace.query.owners.stale", "streams-1", "streams-2");
            TestContext.Out.WriteLine($"{stale} stale owners were refused");
            Assert.That(stale, Is.GreaterThan(0));
        });

    private static async Task<long[]> EndsAsync(IEventLog log)
    {
        var ends = new long[RoleSet.Partitions];
        for (var p = 0; p < ends.Length; p++) ends[p] = (await log.RangeAsync(Telemetry(p))).Next;
        return ends;
    }

    /// <summary>
    /// Each query has a checkpoint behind these ends on all partitions: whoever saved it has them all.
    /// </summary>
    private static async Task QueriesPassAsync(IEventLog log, long[] ends)
    {
        foreach (var (name, _, _) in TrackedQueries.All)
        {
            for (var p = 0; p < ends.Length; p++)
            {
                await Eventually.TrueAsync(async () =>
                    (await log.CommittedAsync(ConsumerGroups.OfQuery(name), Telemetry(p)))?.NextOffset > ends[p],
                    $"{name} on {p} is taken over", TimeSpan.FromSeconds(60));
            }
        }
    }

    private static TopicPartition Telemetry(int partition) => new(Topics.Telemetry, partition);
}
