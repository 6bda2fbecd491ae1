using System.Text;
using Confluent.Kafka;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>
/// A hub whose roles are processes of their own: they share the brokers' topics of one prefix, and the stores and the
/// archive of one folder.
/// </summary>
internal sealed class RoleSet : IAsyncDisposable
{
    public const int Partitions = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly KafkaTopicOptions _topics;

    // Of the seeds, which are the first processes.
    private readonly int[] _clusterPorts;
    private readonly string _prefix = $"c{Guid.NewGuid():N}.";
    private readonly Dictionary<string, (PlatformProcess Process, string Roles)> _nodes = [];

    private RoleSet(KafkaServers servers, HubShape shape)
    {
        Brokers = servers;
        var replicas = shape.Brokers;
        _topics = new KafkaTopicOptions
        {
            ReplicationFactor = replicas,
            InSyncReplicasMin = (replicas + 1) / 2,
        };
        _clusterPorts = [.. Enumerable.Range(0, shape.Seeds).Select(_ => FreePort.Next())];
    }

    public string Data => _folder.Path;

    /// <summary>
    /// While its broker is away a partition looks idle, and what waits for it is late by the time it comes, for queries
    /// that have gone on meanwhile. What they answer can be foretold only where they wait for it.
    /// </summary>
    public TimeSpan IdleAfter => TimeSpan.FromSeconds(Brokers.Count > 1 ? 60 : 1);

    public KafkaServers Brokers { get; }

    public string BootstrapServers => Brokers.BootstrapServers;

    public string Topic(string name) => _prefix + name;

    /// <summary>The test is skipped when there are no brokers.</summary>
    public static async Task<RoleSet> CreateAsync(HubShape? shape = null)
    {
        shape ??= new HubShape();
        var brokers = shape.Brokers;
        var (servers, reason) = await KafkaServers.FindAsync(brokers, toCutOff: brokers > 1);
        if (servers is null) Assert.Ignore(reason);
        if (brokers > 1 && !servers!.AreOurs)
            Assert.Ignore("The brokers of KAFKA_BOOTSTRAP_SERVERS are not the tests' to kill.");
        return new RoleSet(servers!, shape);
    }

    public PlatformProcess this[string node] => _nodes[node].Process;

    /// <summary>Makes known, and starts, a process with these roles.</summary>
    public async Task<PlatformProcess> StartAsync(string node, string roles, params (string Key, string Value)[] more)
    {
        var process = Add(node, roles, more);
        await process.StartRolesAsync(roles);
        return process;
    }

    public PlatformProcess Add(string node, string roles, params (string Key, string Value)[] more)
    {
        var process = new PlatformProcess(Data, [.. Settings(node), .. Membership(), .. more]);
        _nodes.Add(node, (process, roles));
        return process;
    }

    /// <summary>kill -9, and up again under its name.</summary>
    public async Task KillAsync(string node, TimeSpan away)
    {
        await this[node].KillAsync();
        await Task.Delay(away, TimeProvider.System);
        await StartAgainAsync(node);
    }

    /// <summary>Up again under its name, after it has ended.</summary>
    public Task StartAgainAsync(string node) => this[node].StartRolesAsync(_nodes[node].Roles);

    /// <summary>Ends all in turn, each after it has drained.</summary>
    public async Task TerminateAsync(params string[] nodes)
    {
        foreach (var node in nodes)
            Assert.That(await this[node].TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, this[node].Printed);
    }

    /// <summary>The sum of a counter over these nodes, of what each has counted since it was started.</summary>
    public async Task<long> CountedAsync(string counter, params string[] nodes)
    {
        var sum = 0L;
        foreach (var node in nodes) sum += (await MetricsPage.ReadAsync(this[node].Api)).Sum(counter);
        return sum;
    }

    /// <summary>A log of the test's own on the same topics.</summary>
    public async Task<KafkaLog> OpenLogAsync()
    {
        var log = new KafkaLog(new KafkaLogOptions
        {
            BootstrapServers = BootstrapServers,
            Prefix = _prefix,
            Topics = _topics,
        });
        await log.EnsureTopicAsync(new TopicSpec(Contracts.Topics.Telemetry, Partitions));
        return log;
    }

    /// <summary>The broker that leads the telemetry of a device.</summary>
    public int LeaderOf(string deviceId)
    {
        var number = Contracts.Partitioner.PartitionOf(Encoding.UTF8.GetBytes(deviceId), Partitions);
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = BootstrapServers }).Build();
        var topic = admin.GetMetadata(Topic(Contracts.Topics.Telemetry), TimeSpan.FromSeconds(20)).Topics.Single();
        return topic.Partitions.Single(partition => partition.PartitionId == number).Leader;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, _) in _nodes.Values) await process.DisposeAsync();
        await Brokers.DisposeAsync();
        _folder.Dispose();
    }

    private IEnumerable<(string, string)> Membership()
    {
        if (_clusterPorts.Length == 0) return [];
        var port = _nodes.Count < _clusterPorts.Length ? _clusterPorts[_nodes.Count] : FreePort.Next();
        return
        [
            ("Cluster:Port", $"{port}"),
            .. _clusterPorts.Select((seed, number) => ($"Cluster:Seeds:{number}", $"localhost:{seed}")),
        ];
    }

    private IEnumerable<(string, string)> Settings(string node) =>
    [
        ("Node:Name", node),
        ("EventLog:Kind", "Kafka"),
        ("EventLog:Partitions", $"{Partitions}"),
        ("EventLog:Kafka:BootstrapServers", BootstrapServers),
        ("EventLog:Kafka:Prefix", _prefix),
        ("EventLog:Kafka:Topics:ReplicationFactor", $"{_topics.ReplicationFactor}"),
        ("EventLog:Kafka:Topics:InSyncReplicasMin", $"{_topics.InSyncReplicasMin}"),
        ("EventLog:Kafka:Consumer:SessionTimeout", "6s"),
        ("Archiver:RollAge", "1s"),
        ("Archiver:PromotedColumns:0:Name", "temperature"),
        ("Archiver:PromotedColumns:0:Path", "temperature"),
        ("Gateway:Sessions:NodeTimeout", "5s"),
        ("StreamProcessor:IdleAfter", $"{IdleAfter.TotalSeconds}s"),
    ];
}

/// <param name="Brokers">As many have a copy of each record; several are there to be killed.</param>
/// <param name="Seeds">The first processes are seeds of a cluster, which all are members of; 0: there is none.</param>
internal sealed record HubShape(int Brokers = 1, int Seeds = 0);
