using System.Diagnostics;
using System.Text;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>Runs programs as a user would, with some variables set.</summary>
internal sealed class Shell(string folder)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(9);

    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>The tree's root.</summary>
    public static string Root => SourceTree.Root;

    /// <summary>What it printed; the test fails, with all that it said, when it does.</summary>
    public async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, output, error) = await TryAsync(program, arguments);
        Assert.That(code, Is.Zero, $"{program} {string.Join(' ', arguments)}\n{output}\n{error}");
        return output;
    }

    public async Task<(int Code, string Output, string Error)> TryAsync(string program, params string[] arguments)
    {
        // Some leave servers behind that keep what they inherit open, so that its end says nothing.
        using var files = new TemporaryFolder();
        var (output, error) = (files.Sub("output"), files.Sub("error"));
        var line = $"exec \"$0\" \"$@\" >'{output}' 2>'{error}' </dev/null";
        var start = new ProcessStartInfo("bash", ["-c", line, program, .. arguments]) { WorkingDirectory = folder };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(Limit, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {Limit}.");
        }

        return (process.ExitCode, await File.ReadAllTextAsync(output, Encoding.UTF8),
            await File.ReadAllTextAsync(error, Encoding.UTF8));
    }

    /// <summary>Takes over the VAR=value lines that a command printed.</summary>
    public void Export(string printed)
    {
        foreach (var pair in printed.Split('\n').Select(l => l.Split('=', 2)).Where(pair => pair.Length == 2))
        {
            var path = System.Environment.GetEnvironmentVariable("PATH");
            Environment[pair[0]] = pair[1].Trim().Replace("$PATH", path);
        }
    }
}
