using System.Collections.Concurrent;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Catalog;

/// <summary>
/// Makes missing topics as the options say, and tells how those that are there differ. The platform itself decides what
/// is deleted, so the cluster keeps everything.
/// </summary>
/// <param name="aheadMax">Brokers refuse records whose time is further ahead of theirs.</param>
internal sealed class TopicMaker(
    KafkaAdmin admin, TopicCatalog catalog, KafkaLogOptions options, TimeSpan aheadMax, ILogger log, TimeProvider time)
{
    private const string Unlimited = "-1";
    private const string AheadMax = "message.timestamp.after.max.ms";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    // Whoever starts reads a compacted topic from its beginning, and only closed segments are compacted.
    private static readonly ByteSize CompactedSegment = ByteSize.FromMiB(16);
    private static readonly TimeSpan CompactedSegmentAge = TimeSpan.FromHours(1);
    private const double CompactedDirtyRatio = 0.1;

    // Whether brokers refuse what is ahead, as they said when the topic was ensured.
    private readonly ConcurrentDictionary<string, bool> _refusing = new();

    /// <summary>Waits for a cluster that is not there yet, or not whole; fails with what would not pass.</summary>
    /// <param name="isCompacted">The last record of each key is kept, and no other has to be.</param>
    public async ValueTask<TopicInfo> EnsureAsync(TopicSpec spec, CancellationToken ct, bool isCompacted = false)
    {
        while (true)
        {
            var pause = Pause;
            try
            {
                if (await catalog.AskAsync(ct).ConfigureAwait(false)
                    && await TryEnsureAsync(spec, isCompacted, ct).ConfigureAwait(false) is { } topic) return topic;
            }
            catch (KafkaException e) when (Passes(KafkaAdmin.Error(e).Code))
            {
                log.TopicWaits(spec.Name, KafkaAdmin.Error(e).ToString());
                pause = RetryPause;
            }

            await Task.Delay(pause, time, ct).ConfigureAwait(false);
        }
    }

    public bool RefusesAhead(string topic) => _refusing.GetValueOrDefault(topic);

    /// <summary>What more brokers, another leader, or another try may bring.</summary>
    private static bool Passes(ErrorCode code) => KafkaAdmin.Passes(code) || code
        is ErrorCode.RequestTimedOut or ErrorCode.Local_TimedOut or ErrorCode.Local_AllBrokersDown
        or ErrorCode.InvalidReplicationFactor or ErrorCode.BrokerNotAvailable or ErrorCode.ThrottlingQuotaExceeded;

    private async Task<TopicInfo?> TryEnsureAsync(TopicSpec spec, bool isCompacted, CancellationToken ct)
    {
        var found = await DescribeAsync(spec.Name, ct).ConfigureAwait(false);
        if (found is not null) return await CheckAsync(spec, found, isCompacted, ct).ConfigureAwait(false);
        await MakeAsync(spec, isCompacted, ct).ConfigureAwait(false);
        return null;
    }

    /// <summary>Null when it has to be looked at again.</summary>
    private async Task<TopicInfo?> CheckAsync(
        TopicSpec spec, TopicDescription found, bool isCompacted, CancellationToken ct)
    {
        if (found.Partitions.Count != spec.Partitions)
        {
            var detail = $"It has {found.Partitions.Count} partitions, {spec.Partitions} were asked for.";
            throw EventLogErrors.PartitionCountChanged.With(spec.Name, detail).AsException();
        }

        // A partition whose leader is not chosen yet cannot be read or written.
        if (found.Partitions.FirstOrDefault(partition => partition.Leader is null) is { } leaderless)
        {
            log.TopicWaits(spec.Name, $"Partition {leaderless.Partition} has no leader.");
            return null;
        }

        if (!catalog.Topics.ContainsKey(spec.Name)) return null;
        await CompareAsync(spec.Name, found, isCompacted, ct).ConfigureAwait(false);
        return new TopicInfo(spec.Name, spec.Partitions);
    }

    private async Task<TopicDescription?> DescribeAsync(string name, CancellationToken ct)
    {
        try
        {
            var result = await admin.Client.DescribeTopicsAsync(TopicCollection.OfTopicNames([admin.Named(name)]),
                new DescribeTopicsOptions { RequestTimeout = options.RequestTimeout }).WaitAsync(ct)
                .ConfigureAwait(false);
            return result.TopicDescriptions[0];
        }
        catch (DescribeTopicsException e) when (KafkaAdmin.Error(e).Code == ErrorCode.UnknownTopicOrPart)
        {
            return null;
        }
        catch (KafkaException e) when (!Passes(KafkaAdmin.Error(e).Code))
        {
            throw KafkaLogErrors.ClusterFailed.With(name, KafkaAdmin.Error(e).ToString()).AsException(e);
        }
    }

    private async Task MakeAsync(TopicSpec spec, bool isCompacted, CancellationToken ct)
    {
        var specification = new TopicSpecification
        {
            Name = admin.Named(spec.Name),
            NumPartitions = spec.Partitions,
            ReplicationFactor = (short)options.Topics.ReplicationFactor,
            Configs = Configuration(isCompacted),
        };
        try
        {
            await admin.Client.CreateTopicsAsync([specification],
                new CreateTopicsOptions { RequestTimeout = options.RequestTimeout }).WaitAsync(ct)
                .ConfigureAwait(false);
            log.TopicMade(spec.Name, spec.Partitions, options.Topics.ReplicationFactor,
                options.Topics.InSyncReplicasMin);
        }
        catch (KafkaException e) when (KafkaAdmin.Error(e).Code == ErrorCode.TopicAlreadyExists)
        {
            // Another process was first.
        }
        catch (KafkaException e) when (!Passes(KafkaAdmin.Error(e).Code))
        {
            throw KafkaLogErrors.TopicRefused.With(spec.Name, KafkaAdmin.Error(e).ToString()).AsException(e);
        }
    }

    private async Task CompareAsync(
        string name, TopicDescription found, bool isCompacted, CancellationToken ct)
    {
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = admin.Named(name) };
        var described = await ConfigsAsync(resource, ct).ConfigureAwait(false);
        var differences = new List<string>();
        var replicas = found.Partitions.Min(partition => partition.Replicas.Count);
        Look("replicas", Text(replicas), Text(options.Topics.ReplicationFactor));
        foreach (var (key, wanted) in Configuration(isCompacted))
        {
            if (described[0].Entries.TryGetValue(key, out var entry)) Look(key, entry.Value, wanted);
        }

        _refusing[name] = described[0].Entries.TryGetValue(AheadMax, out var ahead)
            && long.TryParse(ahead.Value, CultureInfo.InvariantCulture, out var most)
            && most <= aheadMax.TotalMilliseconds;
        if (differences.Count > 0) log.TopicDiffers(name, string.Join("; ", differences));

        void Look(string key, string has, string wanted)
        {
            if (has != wanted) differences.Add($"{key} is {has}, not {wanted}");
        }
    }

    private async Task<List<DescribeConfigsResult>> ConfigsAsync(ConfigResource topic, CancellationToken ct)
    {
        try
        {
            return await admin.Client.DescribeConfigsAsync([topic],
                new DescribeConfigsOptions { RequestTimeout = options.RequestTimeout }).WaitAsync(ct)
                .ConfigureAwait(false);
        }
        catch (KafkaException e) when (!Passes(KafkaAdmin.Error(e).Code))
        {
            throw KafkaLogErrors.ClusterFailed.With(topic.Name, KafkaAdmin.Error(e).ToString()).AsException(e);
        }
    }

    private Dictionary<string, string> Configuration(bool isCompacted)
    {
        var configuration = new Dictionary<string, string>
        {
            ["cleanup.policy"] = isCompacted ? "compact" : "delete",
            ["retention.ms"] = Unlimited,
            ["retention.bytes"] = Unlimited,
            ["min.insync.replicas"] = Text(options.Topics.InSyncReplicasMin),
            ["max.message.bytes"] = Text(BatchBytesMax),
            // The enqueued time is the gateway's, however old: but one far ahead would make late what comes behind it.
            ["message.timestamp.type"] = "CreateTime",
            [AheadMax] = Text((long)aheadMax.TotalMilliseconds),
        };
        if (!isCompacted) return configuration;
        configuration["segment.bytes"] = Text(CompactedSegment.Bytes);
        configuration["segment.ms"] = Text((long)CompactedSegmentAge.TotalMilliseconds);
        configuration["min.cleanable.dirty.ratio"] = CompactedDirtyRatio.ToString(CultureInfo.InvariantCulture);
        return configuration;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A record, and what Kafka puts around it.</summary>
    private long BatchBytesMax => options.Producer.RecordBytesMax.Bytes + ByteSize.FromKiB(64).Bytes;
}
