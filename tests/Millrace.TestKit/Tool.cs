using System.Diagnostics;

namespace Millrace.TestKit;

/// <summary>A program of the system that some tests use.</summary>
public sealed class Tool(string path)
{
    /// <summary>The program of this name on PATH or in the usual folders; null when it is not installed.</summary>
    public static Tool? Find(string name)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Concat(["/usr/bin", "/usr/sbin", "/usr/local/bin"]);
        var found = folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return found is null ? null : new Tool(found);
    }

    /// <summary>Runs it to its end and gives the exit code and all that it wrote.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{path} {string.Join(' ', arguments)} did not end within 30 s.");
        }
    }
}
