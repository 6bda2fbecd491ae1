using System.Text.RegularExpressions;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Cql;

/// <summary>Apache's Java driver.</summary>
internal static partial class JavaPeer
{
    /// <summary>The median of its last turns; null when there is no peer.</summary>
    public static async Task<Measured?> MeasureAsync(int port, int rows, int devices, int batch, int inFlight)
    {
        if (await Peer.RunAsync("cql", $"{port}", $"{rows}", $"{devices}", $"{batch}", $"{inFlight}") is not { } run)
            return null;
        return Median(run, rows);
    }

    /// <summary>
    /// The same of reads, of what the last turn of <see cref="ReadingsTable"/> wrote; null unless JAVA_DRIVER_CLASSPATH
    /// names the driver's jars.
    /// </summary>
    /// <param name="what">"key" or "range".</param>
    public static async Task<Measured?> ReadAsync(
        string what, int port, int requests, long rows, int devices, long start, int inFlight, int turns)
    {
        if (Environment.GetEnvironmentVariable("JAVA_DRIVER_CLASSPATH") is not { Length: > 0 } jars) return null;
        var program = Path.Combine(Report.RepositoryFolder(), "benchmarks", "Cql", "JavaReads.java");
        return Median(await Peer.RunAsync("java",
        [
            "-Xmx1g", "-cp", jars, program, $"{port}", what, $"{requests}", $"{devices}", $"{start}", $"{inFlight}",
            $"{turns}",
        ]), rows);
    }

    private static Measured Median(PeerRun run, long rows)
    {
        var turns = TurnPattern().Matches(run.Output)
            .Select(turn => (Rate: Number(turn, "rate"), Cpu: Number(turn, "cpu"))).ToList();
        if (turns.Count < 2 || !run.Output.Contains($"rows={rows} ", StringComparison.Ordinal))
            throw new InvalidOperationException(run.Output);
        var (rate, cpu) = (new Samples(), new Samples());
        for (var i = Math.Max(1, turns.Count - CqlBenchmark.Rounds); i < turns.Count; i++)
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
