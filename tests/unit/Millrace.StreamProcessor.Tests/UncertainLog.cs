using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A log that cannot go on now and then: some records of an append are there, and nobody knows.</summary>
internal sealed class UncertainLog(IEventLog log) : ForwardingLog(log)
{
    private volatile string _topic = "";
    private int _written;
    private int _failures;
    private int _failed;

    public int Failed => Volatile.Read(ref _failed);

    /// <summary>So many of the next appends to the topic fail, with so many of their records written.</summary>
    public void Fail(string topic, int times, int written)
    {
        (_written, _failures) = (written, times);
        _topic = topic;
    }

    public override async ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
    {
        if (partition.Topic != _topic || Interlocked.Decrement(ref _failures) < 0)
            return await Inner.AppendAsync(partition, records, ct);
        using var some = new RecordBatchBuilder();
        some.Append(First(records, _written));
        if (some.Count > 0) await Inner.AppendAsync(partition, some, ct);
        Interlocked.Increment(ref _failed);
        throw EventLogErrors.AppendUncertain.With(partition).AsException();
    }

    private static RecordBatch First(RecordBatchBuilder records, int countMax)
    {
        var (count, bytes) = (0, 0);
        foreach (var record in new RecordBatch(default, 0, records.Count, records.Bytes))
        {
            if (count == countMax) break;
            count++;
            bytes += record.Bytes.Length;
        }

        return new RecordBatch(default, 0, count, records.Bytes[..bytes]);
    }
}
