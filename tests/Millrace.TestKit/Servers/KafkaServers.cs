namespace Millrace.TestKit.Servers;

/// <summary>
/// Kafka brokers for tests: those that KAFKA_BOOTSTRAP_SERVERS names; else three of the engines command, started for
/// these tests and ended with them; else three in Docker.
/// </summary>
public sealed class KafkaServers : IAsyncDisposable
{
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS";
    private readonly IBrokerCommand? _command;

    private KafkaServers(string bootstrapServers, IBrokerCommand? command) =>
        (BootstrapServers, _command) = (bootstrapServers, command);

    public string BootstrapServers { get; }

    public int Count => BootstrapServers.Split(',').Length;

    /// <summary>Whether brokers can be killed and paused: they are ours.</summary>
    public bool AreOurs => _command is not null;

    /// <summary>Without servers when there are none; then the reason says what to install.</summary>
    public static async Task<(KafkaServers? Servers, string Reason)> FindAsync(int brokers = 3)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return (new KafkaServers(named, null), "");
        IBrokerCommand? command = EnginesCommand.Find() is { } engines ? engines : await DockerBrokers.FindAsync();
        return command is null
            ? (null, $"No Kafka: set {Variable}, or MILLRACE_ENGINES to a command that starts it, or install Docker.")
            : (new KafkaServers(await command.UpAsync(brokers), command), "");
    }

    /// <summary>SIGKILL; its data stays. Brokers count from 1.</summary>
    public Task KillAsync(int broker) => _command!.DoAsync("kill", broker);

    /// <summary>Starts one that was killed, and returns when it takes requests.</summary>
    public Task StartAsync(int broker) => _command!.DoAsync("start", broker);

    /// <summary>It stands still, with its connections open.</summary>
    public Task PauseAsync(int broker) => _command!.DoAsync("pause", broker);

    public Task ResumeAsync(int broker) => _command!.DoAsync("resume", broker);

    /// <summary>All run again, whatever became of them.</summary>
    public async Task HealAsync()
    {
        for (var broker = 1; broker <= Count; broker++)
        {
            foreach (var verb in new[] { "resume", "start" })
            {
                try
                {
                    await _command!.DoAsync(verb, broker);
                }
                catch (InvalidOperationException)
                {
                    // It does already.
                }
            }
        }
    }

    public ValueTask DisposeAsync() => _command?.DownAsync() ?? ValueTask.CompletedTask;
}

/// <summary>What starts and stops brokers.</summary>
internal interface IBrokerCommand
{
    /// <summary>Returns the bootstrap servers.</summary>
    Task<string> UpAsync(int brokers);

    Task DoAsync(string verb, int broker);

    ValueTask DownAsync();
}
