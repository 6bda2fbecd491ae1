using System.Runtime.InteropServices;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Millrace.TestKit.Servers;

/// <summary>How a node of each engine runs in a container.</summary>
/// <param name="ports">The first of ports of this machine that are free.</param>
/// <param name="java">More options of the virtual machines of Cassandra's nodes.</param>
internal sealed partial class DockerNodes(DockerNetwork network, int ports, int nodes, string heap, string? java)
{
    private const string Loopback = "127.0.0.1";
    private const string AccessKey = "tests", SecretKey = "reachable-from-this-machine-alone";

    // Within the containers.
    private const int ClientPort = 9092, QuorumPort = 9093, BrokerPort = 9094, ConnectPort = 15002, GatewayPort = 7070;

    private const int FirstHost = 10, S3Node = 60;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(200);

    private int SparkPort => ports + 2;

    private int CassandraPort => ports + 42;

    private int S3Port => ports + 70;

    public IContainer Build(string engine, int node) => engine switch
    {
        "kafka" => Kafka(node).Build(),
        "cassandra" => Cassandra(node).Build(),
        "spark" => Spark().Build(),
        "s3" => S3().Build(),
        _ => throw new ArgumentOutOfRangeException(nameof(engine), engine, "There is no such engine."),
    };

    public Dictionary<string, string> Variables(string engine) => engine switch
    {
        "kafka" => new() { ["KAFKA_BOOTSTRAP_SERVERS"] = OfAll(node => $"{Loopback}:{KafkaPort(node)}") },
        "cassandra" => new()
        {
            ["CASSANDRA_CONTACT_POINTS"] = OfAll(node => $"127.0.0.{node}"),
            ["CASSANDRA_PORT"] = $"{CassandraPort}",
        },
        "spark" => new() { ["SPARK_REMOTE"] = $"sc://{Loopback}:{SparkPort}" },
        _ => new()
        {
            ["S3_ENDPOINT"] = $"http://{Loopback}:{S3Port}",
            ["S3_ACCESS_KEY"] = AccessKey,
            ["S3_SECRET_KEY"] = SecretKey,
            ["S3_REGION"] = "us-east-1",
        },
    };

    private ContainerBuilder Kafka(int node)
    {
        var replicas = $"{Math.Min(nodes, 3)}";
        var inSync = $"{(Math.Min(nodes, 3) + 1) / 2}";
        return Node("kafka", "Kafka Server started", Host(node), Loopback, KafkaPort(node), ClientPort)
            .WithEnvironment(new Dictionary<string, string>
            {
                ["CLUSTER_ID"] = "MkU3OEVBNTcwNTJENDM2Qk",
                ["KAFKA_NODE_ID"] = $"{node}",
                ["KAFKA_PROCESS_ROLES"] = "broker,controller",
                ["KAFKA_CONTROLLER_QUORUM_VOTERS"] = OfAll(each => $"{each}@{Host(each)}:{QuorumPort}"),
                ["KAFKA_LISTENERS"] = $"CLIENT://:{ClientPort},BROKER://:{BrokerPort},CONTROLLER://:{QuorumPort}",
                ["KAFKA_ADVERTISED_LISTENERS"] =
                    $"CLIENT://{Loopback}:{KafkaPort(node)},BROKER://{Host(node)}:{BrokerPort}",
                ["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] = "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
                ["KAFKA_INTER_BROKER_LISTENER_NAME"] = "BROKER",
                ["KAFKA_CONTROLLER_LISTENER_NAMES"] = "CONTROLLER",
                ["KAFKA_LOG_DIRS"] = "/var/lib/kafka/data",
                ["KAFKA_NUM_PARTITIONS"] = "4",
                ["KAFKA_DEFAULT_REPLICATION_FACTOR"] = replicas,
                ["KAFKA_MIN_INSYNC_REPLICAS"] = inSync,
                ["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] = replicas,
                ["KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS"] = "8",
                ["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] = replicas,
                ["KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS"] = "8",
                ["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] = inSync,
                ["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] = "0",
                ["KAFKA_HEAP_OPTS"] = $"-Xms{heap} -Xmx{heap}",
            });
    }

    /// <summary>Nodes tell clients the port that they listen on, so it is the same on this machine.</summary>
    private ContainerBuilder Cassandra(int node) =>
        Node("cassandra", "Startup complete", Host(node), $"127.0.0.{node}", CassandraPort, CassandraPort)
            .WithEnvironment(new Dictionary<string, string>
            {
                ["CASSANDRA_SEEDS"] = Host(1),
                ["CASSANDRA_LISTEN_ADDRESS"] = Host(node),
                ["CASSANDRA_BROADCAST_ADDRESS"] = Host(node),
                ["CASSANDRA_BROADCAST_RPC_ADDRESS"] = $"127.0.0.{node}",
                ["MAX_HEAP_SIZE"] = heap,
                ["HEAP_NEWSIZE"] = "128m",
                ["JVM_EXTRA_OPTS"] = $"-Dcassandra.native_transport_port={CassandraPort} "
                    + $"-Dcassandra.ring_delay_ms=2000 -Dcassandra.skip_wait_for_gossip_to_settle=0 {java}",
            });

    /// <summary>It reads and writes the temporary folders of tests, as who runs them, under their own paths.</summary>
    private ContainerBuilder Spark()
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetTempPath());
        return Node("spark", "Spark Connect server started", Host(1), Loopback, SparkPort, ConnectPort)
            .WithBindMount(folder, folder)
            .WithCreateParameterModifier(create => create.User = $"{UserId()}:0")
            .WithEnvironment(new Dictionary<string, string>
            {
                ["SPARK_DRIVER_MEMORY"] = heap,
                ["SPARK_LOCAL_DIRS"] = "/opt/spark/work-dir",
                ["AWS_ACCESS_KEY_ID"] = AccessKey,
                ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
            })
            .WithCommand("/opt/spark/sbin/start-connect-server.sh", "--master=local[2]",
                $"--conf=spark.hadoop.fs.s3a.endpoint=http://{Host(S3Node)}:{GatewayPort}",
                "--conf=spark.hadoop.fs.s3a.endpoint.region=us-east-1",
                "--conf=spark.hadoop.fs.s3a.path.style.access=true",
                "--conf=spark.sql.shuffle.partitions=4", "--conf=spark.ui.enabled=false");
    }

    private ContainerBuilder S3() =>
        Node("versitygw", "S3 service listening", Host(S3Node), Loopback, S3Port, GatewayPort)
            .WithEnvironment("ROOT_ACCESS_KEY", AccessKey)
            .WithEnvironment("ROOT_SECRET_KEY", SecretKey)
            .WithEntrypoint("sh", "-c", "mkdir -p /data/objects /data/sidecar && "
                + $"exec versitygw --port :{GatewayPort} posix --sidecar /data/sidecar /data/objects");

    /// <param name="image">The image's name.</param>
    /// <param name="ready">What it logs when it takes requests.</param>
    /// <param name="address">Its own, in the network.</param>
    /// <param name="loopback">The address of this machine that has its port.</param>
    private ContainerBuilder Node(
        string image, string ready, string address, string loopback, int port, int containerPort) =>
        new ContainerBuilder(ServerImages.Of(image))
            .WithLogger(NullLogger.Instance)
            .WithNetwork(network.Network)
            .WithPortBinding(port, containerPort)
            .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged(
                ready, wait => wait.WithTimeout(StartTimeout).WithInterval(StartInterval)))
            .WithCreateParameterModifier(create =>
            {
                // To stop it is to kill it.
                create.StopSignal = "SIGKILL";
                foreach (var binding in create.HostConfig!.PortBindings!.Values.SelectMany(all => all))
                    binding.HostIP = loopback;
                foreach (var end in create.NetworkingConfig!.EndpointsConfig!.Values)
                    end.IPAMConfig = new EndpointIPAMConfig { IPv4Address = address };
            });

    private string OfAll(Func<int, string> text) => string.Join(',', Enumerable.Range(1, nodes).Select(text));

    private string Host(int node) => network.Address(FirstHost + node);

    private int KafkaPort(int node) => ports + 92 + 10 * (node - 1);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
