using System.Diagnostics;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What befalls processes, for long, over real brokers and under load.</summary>
[Category("Faults")]
public class RoleFaultTests
{
    private static readonly string[] Nodes =
        ["gateway-1", "gateway-2", "streams-1", "streams-2", "archiver-1", "archiver-2", "api"];

    [TestCase(1)]
    public Task Each_role_is_killed_at_random_for_two_minutes(int seed) =>
        ClusterLoad.RunAsync(seed, async (hub, random) =>
        {
            var (begun, kills) = (Stopwatch.StartNew(), 0);
            while (begun.Elapsed < TimeSpan.FromMinutes(2))
            {
                await ClusterLoad.PauseAsync(random, 500, 4_000);
                await hub.KillAsync(Nodes[random.Next(Nodes.Length)], TimeSpan.FromMilliseconds(random.Next(3_000)));
                kills++;
            }

            TestContext.Out.WriteLine($"seed {seed}: {kills} kills");
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

    /// <summary>It is silent for longer than its session, and goes on as if it still had its partitions.</summary>
    [TestCase(3)]
    public Task A_stream_processor_is_paused_across_a_rebalance_and_resumed(int seed) =>
        ClusterLoad.RunAsync(seed, async (hub, random) =>
        {
            for (var round = 0; round < 4; round++)
            {
                await ClusterLoad.PauseAsync(random, 2_000, 5_000);
                var node = hub[$"streams-{(round % 2) + 1}"];
                node.Pause(true);
                await ClusterLoad.PauseAsync(random, 12_000, 16_000);
                node.Pause(false);
            }

            await ClusterLoad.PauseAsync(random, 5_000, 8_000);
        });
}
