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
internal sealed class TopicMaker(
    KafkaAdmin admin, TopicCatalog catalog, KafkaLogOptions options, ILogger log, TimeProvider time)
{
    private const string Unlimited = "-1";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for a cluster that is not there yet.</summary>
    /// <param name="isCompacted">The last record of each key is kept, and no other has to be.</param>
    public async ValueTask<TopicInfo> EnsureAsync(TopicSpec spec, CancellationToken ct, bool isCompacted = false)
    {
        while (true)
        {
            if (await catalog.AskAsync(ct).ConfigureAwait(false))
            {
                var found = await DescribeAsync(spec.Name, ct).ConfigureAwait(false);
                if (found is not null) return await CheckAsync(spec, found, isCompacted, ct).ConfigureAwait(false);
                await MakeAsync(spec, isCompacted, ct).ConfigureAwait(false);
            }

            await Task.Delay(Pause, time, ct).ConfigureAwait(false);
        }
    }

    private async Task<TopicInfo> CheckAsync(
        TopicSpec spec, TopicDescription found, bool isCompacted, CancellationToken ct)
    {
        if (found.Partitions.Count != spec.Partitions)
        {
            var detail = $"It has {found.Partitions.Count} partitions, {spec.Partitions} were asked for.";
            throw EventLogErrors.PartitionCountChanged.With(spec.Name, detail).AsException();
        }

        // A partition whose leader is not chosen yet cannot be read or written.
        while (found.Partitions.Any(partition => partition.Leader is null))
        {
            await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            found = await DescribeAsync(spec.Name, ct).ConfigureAwait(false) ?? found;
        }

        while (!catalog.Topics.ContainsKey(spec.Name))
        {
            await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            await catalog.AskAsync(ct).ConfigureAwait(false);
        }

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
        catch (KafkaException e)
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
        catch (KafkaException e)
        {
            var error = KafkaAdmin.Error(e);
            if (error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.RequestTimedOut or ErrorCode.Local_TimedOut
                or ErrorCode.NotController or ErrorCode.Local_Transport) return;
            throw KafkaLogErrors.TopicRefused.With(spec.Name, error.ToString()).AsException(e);
        }
    }

    private async Task CompareAsync(
        string name, TopicDescription found, bool isCompacted, CancellationToken ct)
    {
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = admin.Named(name) };
        var described = await admin.AskAsync(name, ct, () => admin.Client.DescribeConfigsAsync([resource],
            new DescribeConfigsOptions { RequestTimeout = options.RequestTimeout })).ConfigureAwait(false);
        var differences = new List<string>();
        var replicas = found.Partitions.Min(partition => partition.Replicas.Count);
        Look("replicas", replicas.ToString(CultureInfo.InvariantCulture),
            options.Topics.ReplicationFactor.ToString(CultureInfo.InvariantCulture));
        foreach (var (key, wanted) in Configuration(isCompacted))
        {
            if (described[0].Entries.TryGetValue(key, out var entry)) Look(key, entry.Value, wanted);
        }

        if (differences.Count > 0) log.TopicDiffers(name, string.Join("; ", differences));

        void Look(string key, string has, string wanted)
        {
            if (has != wanted) differences.Add($"{key} is {has}, not {wanted}");
        }
    }

    private Dictionary<string, string> Configuration(bool isCompacted) => new()
    {
        ["cleanup.policy"] = isCompacted ? "compact" : "delete",
        ["retention.ms"] = Unlimited,
        ["retention.bytes"] = Unlimited,
        ["min.insync.replicas"] = options.Topics.InSyncReplicasMin.ToString(CultureInfo.InvariantCulture),
        ["max.message.bytes"] = BatchBytesMax.ToString(CultureInfo.InvariantCulture),
        // The enqueued time is the gateway's, whatever it is.
        ["message.timestamp.type"] = "CreateTime",
        ["message.timestamp.after.max.ms"] = long.MaxValue.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>A record, and what Kafka puts around it.</summary>
    private long BatchBytesMax => options.Producer.RecordBytesMax.Bytes + ByteSize.FromKiB(64).Bytes;
}
