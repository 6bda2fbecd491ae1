using Millrace.Simulator.Fleet;
using Millrace.Simulator.Scenarios;

namespace Millrace.Simulator;

/// <summary>A fleet of simulated devices, each on a real MQTT connection.</summary>
public sealed class FleetSimulation(SimulationOptions options, TimeProvider time)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);

    // Read at once, so that a scenario that cannot be is told before anything is made.
    private readonly Func<int, IDeviceModel> _models = Scenario.Models(options.Scenario, options.Seed);

    /// <summary>Runs until the duration is over or the token is cancelled, and reports what was done.</summary>
    /// <param name="keys">The key of each device, by its id.</param>
    public async Task<SimulationReport> RunAsync(
        IReadOnlyDictionary<string, string> keys, IProgress<SimulationReport>? progress, CancellationToken ct)
    {
        var counts = new FleetCounts();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (options.Duration is { } duration) stop.CancelAfter(duration);
        var devices = options.DeviceIds.Select((id, i) => RunAsync(new SimulatedDevice(
            id, keys[id], _models(i), Scenario.RandomOf(options.Seed + 1, i), options, counts, time), stop.Token));
        await Task.WhenAll([.. devices, ReportAsync(counts, progress, stop.Token)]);
        return counts.Report();
    }

    private static async Task RunAsync(SimulatedDevice device, CancellationToken stop)
    {
        using (device) await device.RunAsync(stop);
    }

    private async Task ReportAsync(FleetCounts counts, IProgress<SimulationReport>? progress, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(ReportInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) progress?.Report(counts.Report());
        }
        catch (OperationCanceledException)
        {
            // The fleet ends; the caller gets the last report.
        }
    }
}
