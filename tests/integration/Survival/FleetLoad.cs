using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>Eight devices that publish to a platform whose query raises alerts of some of what comes.</summary>
internal sealed class FleetLoad : IAsyncDisposable
{
    private const string Filter =
        "SELECT IoTHub.ConnectionDeviceId AS deviceId, number, value INTO alerts FROM telemetry WHERE value > 95";

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _load;

    private FleetLoad(TrackedFleet fleet)
    {
        Fleet = fleet;
        _load = fleet.RunAsync(_stop.Token);
    }

    public TrackedFleet Fleet { get; }

    /// <summary>Returns when there is load.</summary>
    public static async Task<FleetLoad> StartAsync(PlatformProcess platform)
    {
        var fleet = new TrackedFleet(platform, devices: 8, window: 8);
        await fleet.RegisterAsync();
        await platform.ApplyAsync("filter", Filter);
        var load = new FleetLoad(fleet);
        await Eventually.TrueAsync(() => fleet.Acknowledged.Count > 1_000, "there is load");
        return load;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _load;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}
