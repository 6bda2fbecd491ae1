using System.Net.Sockets;
using Millrace.TestKit.Network;

namespace Millrace.TestKit.Servers;

/// <summary>
/// Kafka brokers for tests: those that KAFKA_BOOTSTRAP_SERVERS names; else three that are started for these tests and
/// ended with them.
/// </summary>
public sealed class KafkaServers : IAsyncDisposable
{
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS", Loopback = "127.0.0.1";
    private const string Heap = "384m";

    // Of the engines command: where the first broker listens, and how far the next is, from the first port of a set.
    private const int FirstPort = 92, PortStep = 10;

    // From where a broker listens to where it says that it does, among the ports of its set.
    private const int Detour = 500;

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2), QuorumLimit = TimeSpan.FromSeconds(60);
    private readonly IServerSet? _set;
    private readonly List<BreakableProxy> _ways = [];
    private readonly HashSet<int> _killed = [], _paused = [];

    private KafkaServers(string bootstrapServers, IServerSet? set) =>
        (BootstrapServers, _set) = (bootstrapServers, set);

    public string BootstrapServers { get; }

    public int Count => BootstrapServers.Split(',').Length;

    /// <summary>Whether brokers can be killed and paused: they are ours.</summary>
    public bool AreOurs => _set is not null;

    /// <summary>Whether brokers can be cut off.</summary>
    public bool CanBeCutOff => _ways.Count > 0;

    /// <summary>Without servers when there are none; then the reason says what to install.</summary>
    /// <param name="toCutOff">
    /// Clients, and the other brokers, reach each through a proxy. Containers are started without.
    /// </param>
    public static async Task<(KafkaServers? Servers, string Reason)> FindAsync(int brokers = 3, bool toCutOff = false)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return (new KafkaServers(named, null), "");
        if (toCutOff && EngineSet.Command() is not null) return (await ThroughProxiesAsync(brokers), "");
        var set = await ServerSets.StartAsync("kafka", brokers, Heap);
        return set is null
            ? (null, ServerSets.Missing("Kafka", Variable))
            : (new KafkaServers(set.Variables[Variable], set), "");
    }

    /// <summary>SIGKILL; its data stays. Brokers count from 1.</summary>
    public Task KillAsync(int broker)
    {
        _killed.Add(broker);
        return _set!.KillAsync(broker);
    }

    /// <summary>Starts one that was killed, and returns when it takes requests.</summary>
    public Task StartAsync(int broker)
    {
        _killed.Remove(broker);
        return _set!.StartAsync(broker);
    }

    /// <summary>It stands still, with its connections open.</summary>
    public Task PauseAsync(int broker)
    {
        _paused.Add(broker);
        return _set!.PauseAsync(broker);
    }

    public Task ResumeAsync(int broker)
    {
        _paused.Remove(broker);
        return _set!.ResumeAsync(broker);
    }

    /// <summary>
    /// Nothing reaches it from clients or the other brokers, nor its answers them, and nobody is told. It still reaches
    /// the others and the controller, so that it keeps what it leads.
    /// </summary>
    public void CutOff(int broker) => _ways[broker - 1].Hold();

    public void Reconnect(int broker) => _ways[broker - 1].LetGoOn();

    /// <summary>The broker that is the active controller, by the word of one that answers.</summary>
    public async Task<int> ControllerAsync()
    {
        var leader = -1;
        await Eventually.TrueAsync(async () =>
        {
            foreach (var broker in BootstrapServers.Split(','))
            {
                if (leader > 0) break;
                leader = await AskAsync(broker);
            }

            return leader > 0;
        }, "there is a controller", QuorumLimit);
        return leader;
    }

    /// <summary>All run again, whatever became of them.</summary>
    public async Task HealAsync()
    {
        foreach (var way in _ways) way.LetGoOn();
        foreach (var broker in _paused.ToList()) await ResumeAsync(broker);
        foreach (var broker in _killed.ToList()) await StartAsync(broker);
    }

    public async ValueTask DisposeAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
        foreach (var way in _ways) await way.DisposeAsync();
    }

    private static async Task<KafkaServers> ThroughProxiesAsync(int brokers)
    {
        var ports = EngineSet.FreePorts();
        var listening = Enumerable.Range(0, brokers).Select(n => ports + FirstPort + (n * PortStep)).ToList();
        var ways = listening.Select(port => new BreakableProxy(Loopback, port, port + Detour)).ToList();
        var set = await EngineSet.StartAsync(
            "kafka", brokers, Heap, ports, isFavored: true, ("ENGINES_KAFKA_ADVERTISE", $"{Detour}"));
        var servers = new KafkaServers(string.Join(',', ways.Select(way => $"{Loopback}:{way.Port}")), set);
        servers._ways.AddRange(ways);
        return servers;
    }

    /// <summary>-1 when it does not answer, or does not know.</summary>
    private static async Task<int> AskAsync(string broker)
    {
        using var late = new CancellationTokenSource(AnswerLimit);
        try
        {
            var end = broker.Split(':');
            return await KafkaQuorum.LeaderAsync(end[0], int.Parse(end[1]), late.Token);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException
            or OperationCanceledException)
        {
            return -1;
        }
    }
}
