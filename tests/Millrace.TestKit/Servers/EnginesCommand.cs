using System.Diagnostics;

namespace Millrace.TestKit.Servers;

/// <summary>The command that MILLRACE_ENGINES names, or the one beside the tree.</summary>
internal sealed class EnginesCommand : IBrokerCommand
{
    private const string RunVariable = "ENGINES_RUN", PortVariable = "ENGINES_PORT_BASE", HeapVariable = "ENGINES_HEAP";
    private readonly string _path;
    private readonly Dictionary<string, string> _environment = [];
    private readonly TemporaryFolder? _folder;
    private bool _wasUp;

    /// <param name="alone">A set of its own, whatever the environment says.</param>
    private EnginesCommand(string path, bool alone)
    {
        _path = path;
        if (!alone && Environment.GetEnvironmentVariable(RunVariable) is { Length: > 0 }) return;
        _folder = new TemporaryFolder();
        _environment[RunVariable] = _folder.Path;
        _environment[PortVariable] = $"{EngineSet.FreePorts()}";
        if (Environment.GetEnvironmentVariable(HeapVariable) is null) _environment[HeapVariable] = "384m";
    }

    public static EnginesCommand? Find(bool alone = false) =>
        EngineSet.Command() is { } path ? new EnginesCommand(path, alone) : null;

    public async Task<string> UpAsync(int brokers)
    {
        _wasUp = (await RunAsync("env")).Contains("KAFKA_BOOTSTRAP_SERVERS=");
        var output = await RunAsync("up", "kafka", $"{brokers}");
        return output.Split('\n').First(line => line.StartsWith("KAFKA_BOOTSTRAP_SERVERS=")).Split('=')[1].Trim();
    }

    /// <summary>The settings of a broker, which it reads when it is started.</summary>
    public string SettingsOf(int broker) => PathOf(broker, "server.properties");

    public async Task DoAsync(string verb, int broker)
    {
        var killed = verb == "kill" ? EngineSet.ProcessOf(PathOf(broker, "pid")) : (int?)null;
        await RunAsync(verb, "kafka", $"{broker}");
        if (killed is { } process) await EngineSet.EndAsync(process);
    }

    public async ValueTask DownAsync()
    {
        if (!_wasUp) await RunAsync("down", "kafka");
        _folder?.Dispose();
    }

    private string PathOf(int broker, string name) => Path.Combine(
        _folder?.Path ?? Environment.GetEnvironmentVariable(RunVariable)!, $"kafka-{broker}", name);

    private async Task<string> RunAsync(params string[] arguments)
    {
        // The servers that it starts keep what they inherit open, so that the end of its output says nothing.
        var start = new ProcessStartInfo(_path, arguments) { RedirectStandardOutput = true };
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{_path} {string.Join(' ', arguments)}: {process.ExitCode}");
    }
}
