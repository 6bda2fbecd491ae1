using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>A hub of processes under load while something befalls them; then all must be there once.</summary>
internal static class ClusterLoad
{
    public const string ApiRoles = "registry,cold-path,api";

    // Of each device: more than it has on the way.
    private const int MoreEach = 20;
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    private static readonly (string Node, string Roles)[] Workers =
    [
        ("gateway-1", "gateway"), ("gateway-2", "gateway"), ("streams-1", "stream-processor"),
        ("streams-2", "stream-processor"), ("archiver-1", "archiver"), ("archiver-2", "archiver"),
    ];

    /// <summary>All, by name.</summary>
    public static readonly IReadOnlyList<string> Nodes = [.. Workers.Select(worker => worker.Node), "api"];

    public static Task RunAsync(int seed, Func<RoleSet, Random, Task> trouble) =>
        RunAsync(seed, new HubShape(), (hub, _, random) => trouble(hub, random));

    public static async Task RunAsync(int seed, HubShape shape, Func<RoleSet, TrackedFleet, Random, Task> trouble)
    {
        await using var hub = await RoleSet.CreateAsync(shape);
        var api = await hub.StartAsync("api", ApiRoles);
        await Task.WhenAll(Workers.Select(worker => hub.StartAsync(worker.Node, worker.Roles)));
        var fleet = new TrackedFleet(api, devices: 8, window: 8, hub["gateway-1"], hub["gateway-2"]);
        await fleet.RegisterAsync();
        foreach (var query in TrackedQueries.All) await api.ApplyAsync(query.Name, query.Text);

        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        try
        {
            await trouble(hub, fleet, new Random(seed));
            await fleet.GoesOnAsync("when it is over");
        }
        finally
        {
            await stop.CancelAsync();
            await load;
        }

        await api.SettleAsync(hub.IdleAfter);
        await hub.CatchesUpAsync(api);
        await hub.TerminateAsync([.. Nodes]);
        await hub.AllIsThereOnceAsync(fleet);
    }

    /// <summary>How far they get before the next blow is the point: nothing is waited for here.</summary>
    public static Task PauseAsync(Random random, int leastMs, int mostMs) =>
        Task.Delay(TimeSpan.FromMilliseconds(random.Next(leastMs, mostMs)), TimeProvider.System);

    /// <summary>Every device has messages acknowledged that it sent from now on.</summary>
    public static Task GoesOnAsync(this TrackedFleet fleet, string when)
    {
        var before = fleet.AcknowledgedEach();
        return Eventually.TrueAsync(
            () => fleet.AcknowledgedEach().Zip(before).All(device => device.First > device.Second + MoreEach),
            $"all devices go on {when}", Recovery);
    }
}
