using System.Globalization;

namespace Millrace.TestKit.Servers;

/// <summary>Brokers in containers of Docker, on the ports of this machine.</summary>
internal sealed class DockerBrokers : IBrokerCommand
{
    private const string Image = "apache/kafka:4.3.1";
    private const int PortBase = 29092, PortStep = 10;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(2);
    private readonly Tool _docker;
    private readonly string _name = $"millrace-kafka-{Environment.ProcessId}";
    private int _brokers;

    private DockerBrokers(Tool docker) => _docker = docker;

    public static async Task<DockerBrokers?> FindAsync() =>
        Tool.Find("docker") is { } docker && (await docker.RunAsync("info")).ExitCode == 0
            ? new DockerBrokers(docker)
            : null;

    public async Task<string> UpAsync(int brokers)
    {
        _brokers = brokers;
        var voters = string.Join(',', Enumerable.Range(1, brokers).Select(n => $"{n}@127.0.0.1:{Port(n) + 1}"));
        for (var n = 1; n <= brokers; n++) await RunAsync(n, voters, Math.Min(brokers, 3));
        for (var n = 1; n <= brokers; n++) await ReadyAsync(n);
        return string.Join(',', Enumerable.Range(1, brokers).Select(n => $"127.0.0.1:{Port(n)}"));
    }

    public async Task DoAsync(string verb, int broker)
    {
        await DockerAsync(verb == "resume" ? "unpause" : verb, Named(broker));
        if (verb == "start") await ReadyAsync(broker);
    }

    public async ValueTask DownAsync()
    {
        for (var n = 1; n <= _brokers; n++) await DockerAsync("rm", "-f", Named(n));
    }

    private static int Port(int broker) => PortBase + PortStep * (broker - 1);

    private string Named(int broker) => $"{_name}-{broker}";

    private Task RunAsync(int broker, string voters, int replicas)
    {
        Dictionary<string, string> variables = new()
        {
            ["CLUSTER_ID"] = "MkU3OEVBNTcwNTJENDM2Qk",
            ["KAFKA_NODE_ID"] = $"{broker}",
            ["KAFKA_PROCESS_ROLES"] = "broker,controller",
            ["KAFKA_CONTROLLER_QUORUM_VOTERS"] = voters,
            ["KAFKA_LISTENERS"] = $"PLAINTEXT://127.0.0.1:{Port(broker)},CONTROLLER://127.0.0.1:{Port(broker) + 1}",
            ["KAFKA_ADVERTISED_LISTENERS"] = $"PLAINTEXT://127.0.0.1:{Port(broker)}",
            ["KAFKA_CONTROLLER_LISTENER_NAMES"] = "CONTROLLER",
            ["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] = replicas.ToString(CultureInfo.InvariantCulture),
            ["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] = "0",
        };
        return DockerAsync(["run", "-d", "--network", "host", "--name", Named(broker),
            .. variables.SelectMany(pair => new[] { "-e", $"{pair.Key}={pair.Value}" }), Image]);
    }

    private Task ReadyAsync(int broker) => Eventually.TrueAsync(
        async () => (await _docker.RunAsync("logs", Named(broker))).Output.Contains("Kafka Server started"),
        $"Kafka in {Named(broker)} starts", StartTimeout);

    private async Task DockerAsync(params string[] arguments)
    {
        var (code, output) = await _docker.RunAsync(arguments);
        if (code != 0) throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {output}");
    }
}
