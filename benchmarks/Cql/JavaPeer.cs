using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Cql;

/// <summary>Apache's Java driver.</summary>
internal static partial class JavaPeer
{
    /// <summary>The median of the turns after the first; null when there is no peer.</summary>
    public static async Task<Measured?> MeasureAsync(int port, int rows, int devices, int batch, int inFlight)
    {
        if (await Peer.RunAsync("cql", $"{port}", $"{rows}", $"{devices}", $"{batch}", $"{inFlight}") is not { } run)
            return null;
        var turns = TurnPattern().Matches(run.Output)
            .Select(turn => (Rate: Number(turn, "rate"), Cpu: Number(turn, "cpu"))).ToList();
        if (turns.Count < 2) throw new InvalidOperationException(run.Output);
        var (rate, cpu) = (new Samples(), new Samples());
        for (var i = 1; i < turns.Count; i++)
        {
            rate.Add(turns[i].Rate);
            cpu.Add((turns[i].Cpu - turns[i - 1].Cpu) * 1e6 / rows);
        }

        return new Measured(rate.Median, cpu.Median);
    }

    private static double Number(Match match, string name) => Peer.Number(match.Groups[name].Value);

    [GeneratedRegex(@"rows_per_s=(?<rate>[\d.]+) errors=0 client_cpu_s_total=(?<cpu>[\d.]+)")]
    private static partial Regex TurnPattern();
}
