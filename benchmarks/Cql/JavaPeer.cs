using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Cql;

/// <summary>Apache's Java driver, by the program that MILLRACE_PEERS names or that lies beside the tree.</summary>
internal static partial class JavaPeer
{
    /// <summary>The median of the turns after the first; null when the program is not there.</summary>
    public static async Task<Measured?> MeasureAsync(int port, int rows, int devices, int batch, int inFlight)
    {
        if (Find() is not { } program) return null;
        string[] arguments = ["cql", $"{port}", $"{rows}", $"{devices}", $"{batch}", $"{inFlight}"];
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var turns = TurnPattern().Matches(output)
            .Select(turn => (Rate: Number(turn, "rate"), Cpu: Number(turn, "cpu"))).ToList();
        if (process.ExitCode != 0 || turns.Count < 2) throw new InvalidOperationException($"{program}: {output}");
        var (rate, cpu) = (new Samples(), new Samples());
        for (var i = 1; i < turns.Count; i++)
        {
            rate.Add(turns[i].Rate);
            cpu.Add((turns[i].Cpu - turns[i - 1].Cpu) * 1e6 / rows);
        }

        return new Measured(rate.Median, cpu.Median);
    }

    private static double Number(Match match, string name) =>
        double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_PEERS") is { Length: > 0 } named) return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "peers", "peer");
            if (File.Exists(path)) return path;
        }

        return null;
    }

    [GeneratedRegex(@"rows_per_s=(?<rate>[\d.]+) errors=0 client_cpu_s_total=(?<cpu>[\d.]+)")]
    private static partial Regex TurnPattern();
}
