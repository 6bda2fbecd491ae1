using System.Text.RegularExpressions;
using Millrace.Contracts;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>
/// Kafka Streams with the same window over the same topic: an average by device, and what passes a bound goes out.
/// </summary>
internal static partial class StreamsPeer
{
    public const string Output = "peer-averages";
    private const int Threads = 2;

    /// <summary>Null when there is no peer. Its rate counts from its first record; its CPU from its start.</summary>
    public static async Task<CpuCost?> MeasureAsync(string servers, int broker, long events)
    {
        PeerRun? run = null;
        var cost = await CpuCost.MeasureAsync(broker, events, async () =>
            run = await Peer.RunAsync("streams", servers, Topics.Telemetry, Output, $"{events}", $"{Threads}"));
        if (run is null) return null;
        var rate = Peer.Number(RatePattern().Match(run.Output).Groups["rate"].Value);
        return cost with { PerSecond = rate, ClientUs = run.CpuSeconds * 1e6 / events };
    }

    [GeneratedRegex(@"events_per_s=(?<rate>[\d.]+)")]
    private static partial Regex RatePattern();
}
