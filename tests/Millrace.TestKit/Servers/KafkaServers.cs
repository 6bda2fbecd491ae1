namespace Millrace.TestKit.Servers;

/// <summary>
/// Kafka brokers for tests: those that KAFKA_BOOTSTRAP_SERVERS names; else three that are started for these tests and
/// ended with them.
/// </summary>
public sealed class KafkaServers : IAsyncDisposable
{
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS";
    private const string Heap = "384m";
    private readonly IServerSet? _set;
    private readonly HashSet<int> _killed = [], _paused = [];

    private KafkaServers(string bootstrapServers, IServerSet? set) =>
        (BootstrapServers, _set) = (bootstrapServers, set);

    public string BootstrapServers { get; }

    public int Count => BootstrapServers.Split(',').Length;

    /// <summary>Whether brokers can be killed and paused: they are ours.</summary>
    public bool AreOurs => _set is not null;

    /// <summary>Without servers when there are none; then the reason says what to install.</summary>
    public static async Task<(KafkaServers? Servers, string Reason)> FindAsync(int brokers = 3)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return (new KafkaServers(named, null), "");
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

    /// <summary>All run again, whatever became of them.</summary>
    public async Task HealAsync()
    {
        foreach (var broker in _paused.ToList()) await ResumeAsync(broker);
        foreach (var broker in _killed.ToList()) await StartAsync(broker);
    }

    public ValueTask DisposeAsync() => _set?.DisposeAsync() ?? ValueTask.CompletedTask;
}
