using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// Asks the leaders of partitions for offsets. The library's calls block, for a few milliseconds as a rule; the ones
/// that do not (its admin requests) answer without an offset and without an error when a leader goes away.
/// </summary>
internal sealed class OffsetQueries(KafkaLogOptions options, ILogger log, TimeProvider time) : IAsyncDisposable
{
    private const int AtOnceMax = 4, Tries = 10, PromptShare = 10, PatientShare = 3;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly NativeClient _client = new(ClientKind.Consumer, KafkaSettings.Reader(options), log);

    // Who waits for a leader that is away holds up none that ask others.
    private readonly CallThreads _prompt = new("millrace-kafka-offsets", AtOnceMax);
    private readonly CallThreads _patient = new("millrace-kafka-waits", AtOnceMax);
    private readonly ConcurrentDictionary<TopicPartition, bool> _silent = new();
    private volatile bool _isDisposed;

    /// <summary>The first offset kept, and the one after the last that readers see.</summary>
    public Task<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct) =>
        AskAsync<OffsetRange>(partition, Range, ct);

    /// <summary>The first record at or after the time; less than 0 when there is none.</summary>
    public Task<long> AtTimeAsync(TopicPartition partition, long timestampMs, CancellationToken ct) =>
        AskAsync<long>(partition, (TopicPartition p, int timeoutMs, out long offset) =>
            AtTime(p, timestampMs, timeoutMs, out offset), ct);

    public async ValueTask DisposeAsync()
    {
        // What is still to be asked is told so.
        _isDisposed = true;
        await _prompt.DisposeAsync().ConfigureAwait(false);
        await _patient.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    private async Task<T> AskAsync<T>(TopicPartition partition, Query<T> query, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        for (var tried = 1; ; tried++)
        {
            var (error, answer) = await OnceAsync(partition, query).WaitAsync(ct).ConfigureAwait(false);
            if (error == 0) return answer;
            if (tried >= Tries && (error != NativeErrors.OffsetNotAvailable
                || time.GetElapsedTime(started) >= options.RequestTimeout))
                throw KafkaLogErrors.ClusterFailed.With(partition, Rdkafka.Describe(error)).AsException();
            await Task.Delay(RetryPause, time, ct).ConfigureAwait(false);
        }
    }

    private async Task<(int Error, T Answer)> OnceAsync<T>(TopicPartition partition, Query<T> query)
    {
        if (!_silent.ContainsKey(partition)
            && await _prompt.RunAsync(() => AskUnlessSilent(partition, query)).ConfigureAwait(false) is { } answered)
            return answered;
        return await _patient.RunAsync(() => Ask(partition, query, PatientShare)).ConfigureAwait(false);
    }

    /// <summary>Null when it was found out, while this waited, that the leader is silent.</summary>
    private (int Error, T Answer)? AskUnlessSilent<T>(TopicPartition partition, Query<T> query) =>
        _silent.ContainsKey(partition) ? null : Ask(partition, query, PromptShare);

    /// <summary>A try may go to a leader of yesterday; the next one asks who it is now.</summary>
    /// <param name="share">Of the time that a broker may take.</param>
    private (int Error, T Answer) Ask<T>(TopicPartition partition, Query<T> query, int share)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));
        var error = query(partition, (int)options.RequestTimeout.TotalMilliseconds / share, out var answer);
        if (error == 0) _silent.TryRemove(partition, out _);
        else _silent[partition] = true;
        return (error, answer);
    }

    private unsafe int Range(TopicPartition partition, int timeoutMs, out OffsetRange range)
    {
        _client.Poll(TimeSpan.Zero);
        long first = -1, next = -1;
        int error;
        fixed (byte* topic = Rdkafka.ZeroEnded(options.Prefix + partition.Topic))
            error = Rdkafka.QueryRange(_client.Handle, topic, partition.Partition, &first, &next, timeoutMs);
        range = new OffsetRange(first, next);
        return error == 0 && (first < 0 || next < first) ? NativeErrors.BadMessage : error;
    }

    private unsafe int AtTime(TopicPartition partition, long timestampMs, int timeoutMs, out long offset)
    {
        _client.Poll(TimeSpan.Zero);
        var partitions = Rdkafka.PartitionsNew(1);
        try
        {
            fixed (byte* topic = Rdkafka.ZeroEnded(options.Prefix + partition.Topic))
                Rdkafka.PartitionsAdd(partitions, topic, partition.Partition)->Offset = timestampMs;
            var error = Rdkafka.OffsetsForTimes(_client.Handle, partitions, timeoutMs);
            offset = partitions->Items[0].Offset;
            return error != 0 ? error : partitions->Items[0].Error;
        }
        finally
        {
            Rdkafka.PartitionsDestroy(partitions);
        }
    }

    private delegate int Query<T>(TopicPartition partition, int timeoutMs, out T answer);
}
