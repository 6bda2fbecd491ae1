using Millrace.Integration.Tests.Survival;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>The whole path as separate processes over real brokers.</summary>
public class ClusterTests
{
    private const int Seed = 20_261_126;

    [Test]
    public async Task Processes_that_are_killed_lose_no_acknowledged_message_and_double_no_row()
    {
        await using var hub = await RoleSet.CreateAsync();
        var api = await hub.StartAsync("api", "registry,cold-path,api");
        await Task.WhenAll(
            hub.StartAsync("gateway-1", "gateway"), hub.StartAsync("gateway-2", "gateway"),
            hub.StartAsync("streams-1", "stream-processor"), hub.StartAsync("streams-2", "stream-processor"),
            hub.StartAsync("archiver-1", "archiver"));
        var fleet = new TrackedFleet(api, devices: 8, window: 8, hub["gateway-1"], hub["gateway-2"]);
        await fleet.RegisterAsync();
        foreach (var query in TrackedQueries.All) await api.ApplyAsync(query.Name, query.Text);

        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        var random = new Random(Seed);
        await PauseAsync(random, 3_000);
        await hub.KillAsync("streams-1", TimeSpan.FromSeconds(1));
        await PauseAsync(random, 3_000);
        await hub.KillAsync("gateway-1", TimeSpan.Zero);
        await PauseAsync(random, 5_000);
        await stop.CancelAsync();
        await load;
        await api.SettleAsync();
        await hub.TerminateAsync("gateway-1", "gateway-2", "streams-1", "streams-2", "archiver-1", "api");

        await hub.AllIsThereOnceAsync(fleet);
    }

    /// <summary>How far they get before the next kill is the point: nothing is waited for here.</summary>
    private static Task PauseAsync(Random random, int mostMs) =>
        Task.Delay(TimeSpan.FromMilliseconds(random.Next(mostMs / 2, mostMs)), TimeProvider.System);
}
