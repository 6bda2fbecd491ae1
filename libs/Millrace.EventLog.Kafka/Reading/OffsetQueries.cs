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
    private const int AtOnceMax = 4, Tries = 10;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly NativeClient _client = new(ClientKind.Consumer, KafkaSettings.Reader(options), log);
    private readonly SemaphoreSlim _turns = new(AtOnceMax, AtOnceMax);
    private volatile bool _isDisposed;

    /// <summary>The first offset kept, and the one after the last that readers see.</summary>
    public Task<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct) =>
        AskAsync<OffsetRange>(partition, Range, ct);

    /// <summary>The first record at or after the time; less than 0 when there is none.</summary>
    public Task<long> AtTimeAsync(TopicPartition partition, long timestampMs, CancellationToken ct) =>
        AskAsync<long>(partition, (TopicPartition p, out long offset) => AtTime(p, timestampMs, out offset), ct);

    public async ValueTask DisposeAsync()
    {
        // Who gets a turn from now on asks no more, and with all of them nobody does.
        _isDisposed = true;
        for (var turn = 0; turn < AtOnceMax; turn++) await _turns.WaitAsync().ConfigureAwait(false);
        _client.Dispose();
        _turns.Release(AtOnceMax);
    }

    private async Task<T> AskAsync<T>(TopicPartition partition, Query<T> query, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        for (var tried = 1; ; tried++)
        {
            var (error, answer) = await Task.Run(() => OnceAsync(partition, query), ct).WaitAsync(ct)
                .ConfigureAwait(false);
            if (error == 0) return answer;
            if (tried >= Tries && (error != NativeErrors.OffsetNotAvailable
                || time.GetElapsedTime(started) >= options.RequestTimeout))
                throw KafkaLogErrors.ClusterFailed.With(partition, Rdkafka.Describe(error)).AsException();
            await Task.Delay(RetryPause, time, ct).ConfigureAwait(false);
        }
    }

    private async Task<(int Error, T Answer)> OnceAsync<T>(TopicPartition partition, Query<T> query)
    {
        await _turns.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));
            return (query(partition, out var answer), answer);
        }
        finally
        {
            _turns.Release();
        }
    }

    private unsafe int Range(TopicPartition partition, out OffsetRange range)
    {
        _client.Poll(TimeSpan.Zero);
        long first = -1, next = -1;
        int error;
        fixed (byte* topic = Rdkafka.ZeroEnded(options.Prefix + partition.Topic))
            error = Rdkafka.QueryRange(_client.Handle, topic, partition.Partition, &first, &next, TimeoutMs);
        range = new OffsetRange(first, next);
        return error == 0 && (first < 0 || next < first) ? NativeErrors.BadMessage : error;
    }

    private unsafe int AtTime(TopicPartition partition, long timestampMs, out long offset)
    {
        _client.Poll(TimeSpan.Zero);
        var partitions = Rdkafka.PartitionsNew(1);
        try
        {
            fixed (byte* topic = Rdkafka.ZeroEnded(options.Prefix + partition.Topic))
                Rdkafka.PartitionsAdd(partitions, topic, partition.Partition)->Offset = timestampMs;
            var error = Rdkafka.OffsetsForTimes(_client.Handle, partitions, TimeoutMs);
            offset = partitions->Items[0].Offset;
            return error != 0 ? error : partitions->Items[0].Error;
        }
        finally
        {
            Rdkafka.PartitionsDestroy(partitions);
        }
    }

    // A try may go to a leader of yesterday; the next one asks who it is now.
    private int TimeoutMs => (int)options.RequestTimeout.TotalMilliseconds / 3;

    private delegate int Query<T>(TopicPartition partition, out T answer);
}
