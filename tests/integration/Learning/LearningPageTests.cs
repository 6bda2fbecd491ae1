using System.Diagnostics;
using System.Text.RegularExpressions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Learning;

/// <summary>docs/machine-learning.md by its lines, as a reader types them, one after the other.</summary>
[Category("Torture")]
public partial class LearningPageTests
{
    private const string Start = "    artifacts/millrace ";
    private static readonly TimeSpan LineLimit = TimeSpan.FromMinutes(10);

    private readonly TemporaryFolder _folder = new();

    [OneTimeSetUp]
    public async Task MakeAsync()
    {
        var docs = Path.GetFullPath(Examples.PathOf(".."));
        Directory.CreateSymbolicLink(_folder.Sub("docs"), docs);
        Directory.CreateDirectory(_folder.Sub("artifacts"));
        var millrace = Path.Combine(AppContext.BaseDirectory, "millrace.dll");
        await File.WriteAllTextAsync(
            _folder.Sub("artifacts/millrace"), $"#!/usr/bin/env bash\nexec dotnet '{millrace}' \"$@\"\n");
        File.SetUnixFileMode(_folder.Sub("artifacts/millrace"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // A model from elsewhere is the reader's own.
        await File.WriteAllBytesAsync(_folder.Sub("wear.onnx"), TinyOnnx.WeightedSum(-1, 0.5f));
    }

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task Each_line_of_the_page_does_what_it_says()
    {
        var today = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd");
        var lines = File.ReadLines(_folder.Sub("docs/machine-learning.md"))
            .Where(line => line.StartsWith(Start, StringComparison.Ordinal))
            .Select(line => Day().Replace(line.Trim(), today)).ToList();
        Assert.That(lines[0], Does.StartWith("artifacts/millrace dev "));
        using var platform = Bash($"exec {lines[0]} --mqtt-port 0 --mqtts-port 0 --http-port 0 > platform.txt 2>&1");
        try
        {
            await Eventually.TrueAsync(
                async () => (await RunAsync("artifacts/millrace device list")).ExitCode == 0, "it is ready",
                TimeSpan.FromMinutes(1));
            foreach (var line in lines.Skip(1)) await DoAsync(line);
        }
        finally
        {
            platform.Kill();
            await platform.WaitForExitAsync();
        }

        Assert.That(File.ReadLines(_folder.Sub("results/alerts.jsonl")), Has.Some.Contains("Stops in about"));
    }

    private async Task DoAsync(string line)
    {
        if (line.EndsWith("alert list", StringComparison.Ordinal))
        {
            await Eventually.TrueAsync(
                async () => (await RunAsync(line)).Output.Contains("Stops in about"), line, TimeSpan.FromMinutes(1));
            return;
        }

        var watch = Stopwatch.StartNew();
        var (code, output, error) = await RunAsync(line);
        await TestContext.Out.WriteLineAsync($"$ {line} ({watch.Elapsed.TotalSeconds:0.0} s)\n{output}{error}");
        Assert.That(code, Is.Zero, $"{line}\n{output}\n{error}");
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(string line)
    {
        using var process = Bash(line);
        using var late = new CancellationTokenSource(LineLimit);
        var output = process.StandardOutput.ReadToEndAsync(late.Token);
        var error = process.StandardError.ReadToEndAsync(late.Token);
        await process.WaitForExitAsync(late.Token);
        return (process.ExitCode, await output, await error);
    }

    private Process Bash(string line) => Process.Start(new ProcessStartInfo("bash", ["-c", line])
    {
        WorkingDirectory = _folder.Path,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    [GeneratedRegex(@"\d{4}-\d\d-\d\d")]
    private static partial Regex Day();
}
