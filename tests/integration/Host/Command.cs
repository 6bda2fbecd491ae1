using System.Diagnostics;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>Runs programs as a user would, the millrace command first.</summary>
internal static class Command
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public sealed record Result(int ExitCode, string Output, string Error);

    public static Task<Result> MillraceAsync(params string[] arguments) =>
        RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "millrace.dll"), .. arguments]);

    /// <summary>Skips the test when the line calls a program that is not installed, and says what to install.</summary>
    public static Task<Result> ShellAsync(string line)
    {
        const string Publisher = "mosquitto_pub";
        if (line.StartsWith(Publisher, StringComparison.Ordinal) && Tool.Find(Publisher) is null)
            Assert.Ignore($"needs {Publisher}: install mosquitto-clients");
        return RunAsync("bash", ["-c", line]);
    }

    private static async Task<Result> RunAsync(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(late.Token);
        var error = process.StandardError.ReadToEndAsync(late.Token);
        await process.WaitForExitAsync(late.Token);
        return new Result(process.ExitCode, await output, await error);
    }
}
