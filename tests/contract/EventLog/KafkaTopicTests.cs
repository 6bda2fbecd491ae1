using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Primitives;
using Millrace.TestKit;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Topics are made in the cluster as the options ask, and what differs is told.</summary>
public sealed class KafkaTopicTests : KafkaTest
{
    private const int Differs = 3107, Waits = 3114, Added = 3117;
    private static readonly TopicPartition First = new("telemetry", 0);

    [Test]
    public async Task A_missing_topic_is_made_as_the_options_ask()
    {
        Options.Topics.ReplicationFactor = Math.Min(2, KafkaBrokers.Servers!.Count);
        Options.Topics.InSyncReplicasMin = 1;
        await OpenAsync("telemetry", partitions: 3);

        var (partitions, replicas, settings) = await DescribeAsync("telemetry");
        Assert.That((partitions, replicas), Is.EqualTo((3, Options.Topics.ReplicationFactor)));
        Assert.That(settings, Is.SupersetOf(new Dictionary<string, string>
        {
            ["cleanup.policy"] = "delete",
            ["retention.ms"] = "-1",
            ["retention.bytes"] = "-1",
            ["min.insync.replicas"] = "1",
            ["max.message.bytes"] = $"{ByteSize.FromMiB(8).Bytes + 65_536}",
            ["message.timestamp.type"] = "CreateTime",
            ["message.timestamp.after.max.ms"] = "3600000",
        }));
    }

    [Test]
    public async Task What_groups_commit_is_compacted_soon()
    {
        var log = await OpenAsync("telemetry");
        await log.CommitAsync("group", First, 0);

        var (_, _, settings) = await DescribeAsync("millrace.groups");
        Assert.That(settings, Is.SupersetOf(new Dictionary<string, string>
        {
            ["cleanup.policy"] = "compact",
            ["segment.bytes"] = "16777216",
            ["segment.ms"] = "3600000",
            ["min.cleanable.dirty.ratio"] = "0.1",
        }));
    }

    [Test]
    public async Task A_topic_that_is_there_with_other_settings_stays_and_is_told_of()
    {
        await MakeAsync("telemetry", partitions: 4, ("retention.ms", "60000"));
        using var lines = new LogLines();
        await using var log = new KafkaLog(Options, loggers: lines);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 4));

        Assert.That(lines.Of(Differs), Has.Count.EqualTo(1)
            .And.All.Contains("Topic telemetry differs").And.All.Contains("retention.ms is 60000, not -1"));
        Assert.That((await DescribeAsync("telemetry")).Settings["retention.ms"], Is.EqualTo("60000"));
        await log.EnsureTopicAsync(new TopicSpec("own", 1));
        Assert.That(lines.Of(Differs), Has.Count.EqualTo(1), "nothing of one that was made as asked");
    }

    [Test]
    public async Task Whether_brokers_refuse_what_is_ahead_is_known_of_each_topic()
    {
        await MakeAsync("free", partitions: 1, ("message.timestamp.after.max.ms", $"{long.MaxValue}"));
        var log = await OpenAsync("telemetry");
        await log.EnsureTopicAsync(new TopicSpec("free", 1));

        Assert.That(log.RefusesAhead("telemetry"), Is.True);
        Assert.That(log.RefusesAhead("free"), Is.False);
        Assert.That(log.RefusesAhead("another"), Is.False);
    }

    [Test]
    public async Task While_there_are_fewer_brokers_than_replicas_it_waits_for_them()
    {
        var enough = Options.Topics.ReplicationFactor;
        Options.Topics.ReplicationFactor = KafkaBrokers.Servers!.Count + 1;
        using var lines = new LogLines();
        await using var log = new KafkaLog(Options, loggers: lines);
        var ensured = log.EnsureTopicAsync(new TopicSpec("telemetry", 4)).AsTask();

        await Eventually.TrueAsync(
            () => ensured.IsCompleted || lines.Of(Waits).Count > 0, "it says what it waits for", Patience);
        Assert.That(ensured.IsCompleted, Is.False);
        Options.Topics.ReplicationFactor = enough;

        Assert.That((await ensured.WaitAsync(Patience)).Partitions, Is.EqualTo(4));
    }

    [Test]
    public async Task Another_number_of_partitions_is_refused_at_once()
    {
        await OpenAsync("telemetry", partitions: 3);

        Assert.That(async () => await Open().EnsureTopicAsync(new TopicSpec("telemetry", 4)),
            Throws.TypeOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("LOG-0003"));
    }

    [Test]
    public async Task A_topic_that_is_given_more_partitions_keeps_those_it_had_and_the_log_says_so()
    {
        Options.MetadataInterval = TimeSpan.FromMilliseconds(100);
        using var lines = new LogLines();
        await using var log = new KafkaLog(Options, loggers: lines);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 4));
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = Options.BootstrapServers }).Build();
        await admin.CreatePartitionsAsync(
            [new PartitionsSpecification { Topic = Options.Prefix + "telemetry", IncreaseTo = 6 }]);

        await Eventually.TrueAsync(() => lines.Of(Added).Count > 0, "the log says so", Patience);
        Assert.That(log.FindTopic("telemetry")!.Partitions, Is.EqualTo(4));
        Assert.That(lines.Of(Added).Single(), Does.StartWith("LOG-0003: Topic telemetry was given 6 partitions"));
        await AppendAsync(log, First, "goes on");
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var change in log.WatchAssignmentAsync("group", "telemetry", patience.Token))
        {
            Assert.That(change.Partitions.Select(partition => partition.Partition).Order(),
                Is.EqualTo(new[] { 0, 1, 2, 3 }));
            break;
        }
    }

    [Test]
    public async Task Appends_that_wait_too_long_make_the_process_not_ready_until_they_are_there()
    {
        // Longer than the options allow: what waits for others in the client has no answer either.
        Options.Producer.Linger = TimeSpan.FromSeconds(5);
        var log = await OpenAsync("telemetry");
        await log.EnsureTopicAsync(new TopicSpec("control", 1));
        var readiness = new EventLogReadiness(log, Microsoft.Extensions.Options.Options.Create(
            new EventLogOptions { AppendWaitMax = TimeSpan.FromSeconds(1) }));
        await readiness.CheckAsync(default);
        var append = AppendAsync(log, First, "waits");

        await Eventually.TrueAsync(
            () => log.OldestAppend > TimeSpan.FromSeconds(1), "the append waits", Patience);
        Assert.That(async () => await readiness.CheckAsync(default),
            Throws.TypeOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("LOG-0015"));

        await append.WaitAsync(Patience);
        await readiness.CheckAsync(default);
    }

    [Test]
    public async Task A_time_that_is_too_far_ahead_is_refused_of_every_producer()
    {
        await OpenAsync("telemetry");
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig { BootstrapServers = Options.BootstrapServers }).Build();
        var far = new Timestamp(DateTimeOffset.UtcNow.AddHours(2));

        var refused = Assert.ThrowsAsync<ProduceException<byte[], byte[]>>(() => producer.ProduceAsync(
            new Confluent.Kafka.TopicPartition(Options.Prefix + "telemetry", 0),
            new Message<byte[], byte[]> { Key = [1], Value = [1], Timestamp = far }));
        Assert.That(refused!.Error.Code, Is.EqualTo(ErrorCode.InvalidTimestamp));
    }

    /// <summary>A topic that somebody else has made.</summary>
    private async Task MakeAsync(string topic, int partitions, (string Key, string Value) setting)
    {
        using var admin = Admin();
        await admin.CreateTopicsAsync([new TopicSpecification
        {
            Name = Options.Prefix + topic,
            NumPartitions = partitions,
            ReplicationFactor = 1,
            Configs = new() { [setting.Key] = setting.Value },
        }]);
    }

    private IAdminClient Admin() =>
        new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Options.BootstrapServers }).Build();

    private async Task<(int Partitions, int Replicas, Dictionary<string, string> Settings)> DescribeAsync(string topic)
    {
        using var admin = Admin();
        var name = Options.Prefix + topic;
        var found = (await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([name]))).TopicDescriptions[0];
        var settings = (await admin.DescribeConfigsAsync(
            [new ConfigResource { Type = ResourceType.Topic, Name = name }]))[0].Entries;
        return (found.Partitions.Count, found.Partitions[0].Replicas.Count,
            settings.ToDictionary(entry => entry.Key, entry => entry.Value.Value));
    }
}
