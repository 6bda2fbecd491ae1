using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks.Warm;

/// <summary>Rows a second, and processor time a row of this process and of the server's.</summary>
internal readonly record struct WarmCost(double RowsPerSecond, double ClientUs, double ServerUs)
{
    private const double ClockTicksPerSecond = 100;

    public static async Task<WarmCost> MeasureAsync(int serverPid, long rows, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (client, server) = (process.TotalProcessorTime, ServerSeconds(serverPid));
        var watch = Stopwatch.StartNew();
        await work();
        var seconds = watch.Elapsed.TotalSeconds;
        process.Refresh();
        return new WarmCost(rows / seconds, (process.TotalProcessorTime - client).TotalMicroseconds / rows,
            (ServerSeconds(serverPid) - server) * 1e6 / rows);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{RowsPerSecond:n0} | {ClientUs:f2} | {ServerUs:f2}");

    /// <summary>User and system time of a process (proc(5), fields 14 and 15 of stat).</summary>
    private static double ServerSeconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture)
            + double.Parse(fields[12], CultureInfo.InvariantCulture)) / ClockTicksPerSecond;
    }
}
