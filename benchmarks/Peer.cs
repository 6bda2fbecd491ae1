using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks;

/// <summary>
/// What a user would pick instead on the JVM, by the program that MILLRACE_PEERS names or that lies beside the tree.
/// </summary>
internal static class Peer
{
    /// <summary>What it prints, and the processor time of its process; null when there is no such program.</summary>
    public static async Task<PeerRun?> RunAsync(params string[] arguments) =>
        Program() is { } program ? await RunAsync(program, arguments) : null;

    /// <summary>The same of a named program.</summary>
    public static async Task<PeerRun> RunAsync(string program, IEnumerable<string> arguments)
    {
        // The shell says what its child took: user and system time, in seconds.
        using var process = Process.Start(new ProcessStartInfo(
            "bash", ["-c", "TIMEFORMAT='cpu %U %S'; time \"$0\" \"$@\"", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program}: {await output}{errors}");
        var cpu = errors.Split('\n').Last(line => line.StartsWith("cpu ", StringComparison.Ordinal)).Split(' ');
        return new PeerRun(await output, Number(cpu[1]) + Number(cpu[2]));
    }

    public static double Number(string text) => double.Parse(text.Trim(), CultureInfo.InvariantCulture);

    private static string? Program()
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_PEERS") is { Length: > 0 } named) return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "peers", "peer");
            if (File.Exists(path)) return path;
        }

        return null;
    }
}

internal sealed record PeerRun(string Output, double CpuSeconds);
