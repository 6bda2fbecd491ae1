using System.Diagnostics;
using System.Net.NetworkInformation;

namespace Millrace.TestKit.Servers;

/// <summary>
/// Real servers of one kind, by the name that the engines command has for them, started for these tests and ended with
/// them, on ports and data of their own. The command is named by MILLRACE_ENGINES, or lies beside the tree.
/// </summary>
public sealed class EngineSet : IServerSet
{
    private const string Variable = "MILLRACE_ENGINES";

    // The command's ports reach this far from the first.
    private const int PortsUsed = 900;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private static readonly TimeProvider Time = TimeProvider.System;

    private readonly string _command;
    private readonly string _engine;
    private readonly Dictionary<string, string> _environment;
    private readonly TemporaryFolder _folder = new();
    private readonly HashSet<string> _engines = [];
    private readonly Dictionary<string, string> _variables = [];
    private readonly bool _isFavored;
    private int _nodes;

    private EngineSet(string command, string engine, string heap, int ports, bool isFavored)
    {
        (_command, _engine, _isFavored) = (command, engine, isFavored);
        _environment = new Dictionary<string, string>
        {
            ["ENGINES_RUN"] = _folder.Path,
            ["ENGINES_PORT_BASE"] = $"{ports}",
            ["ENGINES_HEAP"] = heap,
        };
    }

    public IReadOnlyDictionary<string, string> Variables => _variables;

    /// <summary>The command, when there is one.</summary>
    public static string? Command()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "engines", "engines");
            if (File.Exists(path)) return path;
        }

        return null;
    }

    /// <summary>Null when there is no engines command.</summary>
    /// <param name="ports">The first of their ports; any when it is not given.</param>
    /// <param name="isFavored">They get their share of the cores before the processes of a test do.</param>
    /// <param name="more">What else the command reads from its environment.</param>
    public static async Task<EngineSet?> StartAsync(
        string engine, int nodes, string heap = ServerSets.HeapDefault, int? ports = null, bool isFavored = false,
        params (string Name, string Value)[] more)
    {
        if (Command() is not { } command) return null;
        var set = new EngineSet(command, engine, heap, ports ?? FreePorts(), isFavored);
        foreach (var (name, value) in more) set._environment.Add(name, value);
        await set.UpAsync(engine, nodes);
        set._nodes = nodes;
        return set;
    }

    public Task AddAsync(string engine) => _engines.Contains(engine) ? Task.CompletedTask : UpAsync(engine, 1);

    public async Task<int> JoinAsync()
    {
        _nodes++;
        await FavoredAsync(_engine, _nodes, RunAsync("add", _engine));
        return _nodes;
    }

    public async Task KillAsync(int node)
    {
        var file = PathOf(node, "pid");
        var process = ProcessOf(file);
        await RunAsync("kill", _engine, $"{node}");
        await EndAsync(process);

        // While its parent buries it, a look at it may fail, which the command takes for one that runs.
        File.Delete(file);
    }

    public Task StartAsync(int node) => FavoredAsync(_engine, node, RunAsync("start", _engine, $"{node}"));

    public Task PauseAsync(int node) => RunAsync("pause", _engine, $"{node}");

    public Task ResumeAsync(int node) => RunAsync("resume", _engine, $"{node}");

    /// <summary>A file of a node's folder, such as its configuration.</summary>
    public string PathOf(int node, string name) => PathOf(_engine, node, name);

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines) await RunAsync("down", engine);
        _folder.Dispose();
    }

    private async Task UpAsync(string engine, int nodes)
    {
        _engines.Add(engine);
        var up = RunAsync("up", engine, $"{nodes}");
        await Task.WhenAll(Enumerable.Range(1, nodes).Select(node => FavoredAsync(engine, node, up)));
    }

    /// <summary>
    /// From its first moment on: beside others that are favored, one that is not would hardly ever be ready.
    /// </summary>
    /// <param name="starting">Ends when it is ready.</param>
    private async Task FavoredAsync(string engine, int node, Task starting)
    {
        if (_isFavored)
        {
            var file = PathOf(engine, node, "pid");
            while (!starting.IsCompleted && !HasSession(file)) await Task.WhenAny(starting, Task.Delay(Look, Time));
            if (HasSession(file)) SchedulerGroup.Favor(ProcessOf(file));
        }

        await starting;
    }

    /// <summary>
    /// Whether the file names a process that leads a session: it may be of one that is gone, or that has not left the
    /// session of the command yet.
    /// </summary>
    private static bool HasSession(string file)
    {
        try
        {
            if (!int.TryParse(File.ReadAllText(file), out var process)) return false;

            // Behind the name: the state, the parent, the group and the session.
            var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ');
            return fields[0] != "Z" && fields[3] == $"{process}";
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string PathOf(string engine, int node, string name) =>
        Path.Combine(_folder.Path, $"{engine}-{node}", name);

    private async Task RunAsync(params string[] arguments)
    {
        // The servers that it starts keep what they inherit open, so that the end of its output says nothing.
        var output = _folder.Sub("output");
        var line = $"exec \"$0\" \"$@\" >'{output}' 2>&1 </dev/null";
        var start = new ProcessStartInfo("bash", ["-c", line, _command, .. arguments]);
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        var text = await File.ReadAllTextAsync(output);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{_command} {string.Join(' ', arguments)}: {text}");
        foreach (var pair in text.Split('\n').Select(one => one.Split('=', 2)).Where(pair => pair.Length == 2))
            _variables[pair[0]] = pair[1].Trim();
    }

    private static int ProcessOf(string file) => int.Parse(File.ReadAllText(file));

    /// <summary>Until a process that was killed is gone; one that only its parent has to bury counts as gone.</summary>
    private static Task EndAsync(int process) => Eventually.TrueAsync(() =>
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").Any(line => line.StartsWith("State:\tZ"));
        }
        catch (IOException)
        {
            return true;
        }
    }, $"process {process} is gone");

    /// <summary>The first of ports that nobody listens on, for a set.</summary>
    internal static int FreePorts()
    {
        var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
        var taken = listeners.Select(end => end.Port).ToHashSet();
        var random = new Random(Environment.ProcessId);
        while (true)
        {
            var start = random.Next(12, 32) * 1_000;
            if (!Enumerable.Range(start, PortsUsed).Any(taken.Contains)) return start;
        }
    }
}
