using Microsoft.Extensions.Logging;
using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// Several producers, of which each has some of the partitions. The library sends one partition's records a request,
/// and five requests at most before an answer: with one producer, many partitions that get a little each would wait for
/// one another. They share the room for what is on its way.
/// </summary>
internal sealed class KafkaProducers : IAsyncDisposable
{
    private readonly KafkaProducer[] _all;

    public KafkaProducers(KafkaLogOptions options, ILogger log, TimeProvider time, EventLogMetrics metrics)
    {
        var room = new AppendRoom(options.Producer.QueueBytesMax.Bytes, options.Producer.QueueRecordsMax);
        _all = new KafkaProducer[options.Producer.Clients];
        for (var i = 0; i < _all.Length; i++) _all[i] = new KafkaProducer(options, room, log, time, metrics);
    }

    /// <summary>How long the oldest append that is on its way waits for its answer.</summary>
    public TimeSpan OldestAppend => _all.Max(producer => producer.OldestAppend);

    /// <summary>The one that has all of the partition's appends, so that their order stays.</summary>
    public KafkaProducer Of(TopicPartition partition) =>
        _all[(uint)(partition.Topic.GetHashCode(StringComparison.Ordinal) + partition.Partition) % (uint)_all.Length];

    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(_all.Select(producer => producer.DisposeAsync().AsTask())).ConfigureAwait(false);
}
