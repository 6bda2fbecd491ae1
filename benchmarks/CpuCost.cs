using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks;

/// <summary>How many a second, and processor time of one, of this process and of the server's.</summary>
internal readonly record struct CpuCost(double PerSecond, double ClientUs, double ServerUs)
{
    private const double ClockTicksPerSecond = 100;

    public static async Task<CpuCost> MeasureAsync(int serverPid, long rows, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (client, server) = (process.TotalProcessorTime, ServerSeconds(serverPid));
        var watch = Stopwatch.StartNew();
        await work();
        var seconds = watch.Elapsed.TotalSeconds;
        process.Refresh();
        return new CpuCost(rows / seconds, (process.TotalProcessorTime - client).TotalMicroseconds / rows,
            (ServerSeconds(serverPid) - server) * 1e6 / rows);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{PerSecond:n0} | {ClientUs:f2} | {ServerUs:f2}");

    /// <summary>User and system time of a process (proc(5), fields 14 and 15 of stat).</summary>
    private static double ServerSeconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture)
            + double.Parse(fields[12], CultureInfo.InvariantCulture)) / ClockTicksPerSecond;
    }
}
