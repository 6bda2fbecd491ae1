using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// What is asked of the cluster now and then, in the words of the event log. Failures become LOG-0012; those that pass
/// by themselves are tried again for a while.
/// </summary>
internal sealed class KafkaAdmin(KafkaLogOptions options, ILogger log, TimeProvider time) : IDisposable
{
    private const int Tries = 5;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    public IAdminClient Client { get; } = Build(options, log);

    private string Prefix => options.Prefix;

    /// <summary>The name in the cluster.</summary>
    public string Named(string name) => Prefix + name;

    /// <summary>The name in this hub; null for what belongs to others.</summary>
    public string? Unnamed(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && !name.StartsWith("__", StringComparison.Ordinal)
            ? name[Prefix.Length..]
            : null;

    /// <summary>Deletes records, and returns the first offset kept.</summary>
    public async ValueTask<long> DeleteBeforeAsync(TopicPartition partition, long offset, CancellationToken ct)
    {
        var before = new TopicPartitionOffset(Named(partition.Topic), partition.Partition, offset);
        var results = await AskAsync(partition, ct, () => Client.DeleteRecordsAsync([before],
            new DeleteRecordsOptions { RequestTimeout = options.RequestTimeout })).ConfigureAwait(false);
        return results[0].Offset.Value;
    }

    /// <summary>Asks, and asks again when the failure is of the kind that passes.</summary>
    public async Task<T> AskAsync<T>(object subject, CancellationToken ct, Func<Task<T>> ask)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                return await ask().WaitAsync(ct).ConfigureAwait(false);
            }
            catch (KafkaException e) when (tried < Tries && Passes(Error(e).Code))
            {
                await Task.Delay(RetryPause, time, ct).ConfigureAwait(false);
            }
            catch (KafkaException e)
            {
                throw KafkaLogErrors.ClusterFailed.With(subject, Error(e).ToString()).AsException(e);
            }
        }
    }

    public void Dispose() => Client.Dispose();

    private static IAdminClient Build(KafkaLogOptions options, ILogger log)
    {
        try
        {
            return new AdminClientBuilder(KafkaSettings.Common(options))
                .SetLogHandler((_, message) => Tell(log, message))
                .SetErrorHandler(static (_, _) => { })
                .Build();
        }
        catch (InvalidOperationException e)
        {
            throw KafkaLogErrors.SettingsRefused.With(null, e.Message).AsException(e);
        }
    }

    public static void Tell(ILogger log, LogMessage message)
    {
        if (message.Level <= SyslogLevel.Warning) log.ClientWarned(message.Facility, message.Message);
        else if (message.Level == SyslogLevel.Notice) log.ClientTold(message.Facility, message.Message);
    }

    /// <summary>The error within, where a request has one for each thing that it asked for.</summary>
    public static Error Error(KafkaException e) => e switch
    {
        CreateTopicsException many => many.Results[0].Error,
        DescribeTopicsException many => many.Results.TopicDescriptions[0].Error,
        DeleteRecordsException many => many.Results[0].Error,
        DescribeConfigsException many => many.Results[0].Error,
        _ => e.Error,
    };

    /// <summary>Whether the failure is of the kind that passes by itself.</summary>
    public static bool Passes(ErrorCode code) => code
        is ErrorCode.LeaderNotAvailable or ErrorCode.NotLeaderForPartition or ErrorCode.Local_Transport
        or ErrorCode.UnknownTopicOrPart or ErrorCode.NetworkException or ErrorCode.NotController
        or ErrorCode.ReplicaNotAvailable or ErrorCode.OffsetNotAvailable or ErrorCode.KafkaStorageError
        or ErrorCode.UnknownLeaderEpoch or ErrorCode.FencedLeaderEpoch;
}
