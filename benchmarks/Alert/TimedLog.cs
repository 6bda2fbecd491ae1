using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Alert;

/// <summary>
/// The log of the platform, which notes when telemetry was appended and durable, when a query read it, and when an
/// alert was appended and durable. It keeps a little for each append, not for each record.
/// </summary>
internal sealed class TimedLog(IEventLog log) : ForwardingLog(log), IEventLog
{
    private readonly ConcurrentDictionary<TopicPartition, Spans> _appends = new();
    private readonly ConcurrentDictionary<TopicPartition, Spans> _reads = new();

    /// <summary>From now on, whoever opens telemetry is taken for the query.</summary>
    public bool QueryReads { get; set; }

    public Span? AppendOf(TopicPartition partition, long offset) => Find(_appends, partition, offset);

    public Span? ReadOf(TopicPartition partition, long offset) => Find(_reads, partition, offset);

    public void Forget()
    {
        foreach (var spans in _appends.Values.Concat(_reads.Values)) spans.Clear();
    }

    public override async ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
    {
        var begun = Stopwatch.GetTimestamp();
        var written = await Inner.AppendAsync(partition, records, ct).ConfigureAwait(false);
        NoteAppend(partition, written, begun);
        return written;
    }

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner) =>
        Inner.Append(partition, records, new TimedOwner(this, partition, owner));

    public override IPartitionReader OpenReader(TopicPartition partition, long offset)
    {
        var reader = Inner.OpenReader(partition, offset);
        return QueryReads && partition.Topic == Contracts.Topics.Telemetry
            ? new TimedReader(reader, Of(_reads, partition))
            : reader;
    }

    public override ValueTask DisposeAsync() => Inner.DisposeAsync();

    private void NoteAppend(TopicPartition partition, OffsetRange written, long begun)
    {
        if (partition.Topic is Contracts.Topics.Telemetry or Contracts.Topics.Alerts)
            Of(_appends, partition).Add(new Span(written.First, written.Next, begun, Stopwatch.GetTimestamp()));
    }

    private static Spans Of(ConcurrentDictionary<TopicPartition, Spans> all, TopicPartition partition) =>
        all.GetOrAdd(partition, _ => new Spans());

    private static Span? Find(
        ConcurrentDictionary<TopicPartition, Spans> all, TopicPartition partition, long offset) =>
        all.TryGetValue(partition, out var spans) ? spans.Find(offset) : null;

    /// <summary>Records from First to before Next, and when what happened to them began and ended.</summary>
    internal readonly record struct Span(long First, long Next, long Begun, long Ended);

    /// <summary>Spans of one partition, in order of their offsets.</summary>
    private sealed class Spans
    {
        private readonly List<Span> _all = [];

        public void Add(Span span)
        {
            lock (_all) _all.Add(span);
        }

        public void Clear()
        {
            lock (_all) _all.Clear();
        }

        public Span? Find(long offset)
        {
            lock (_all)
            {
                int low = 0, high = _all.Count - 1;
                while (low < high)
                {
                    var middle = (low + high + 1) / 2;
                    if (_all[middle].First <= offset) low = middle;
                    else high = middle - 1;
                }

                return _all.Count > 0 && _all[low].First <= offset && offset < _all[low].Next ? _all[low] : null;
            }
        }
    }

    private sealed class TimedOwner(TimedLog log, TopicPartition partition, IAppendOwner owner) : IAppendOwner
    {
        private readonly long _begun = Stopwatch.GetTimestamp();

        public void OnAppended(OffsetRange offsets)
        {
            log.NoteAppend(partition, offsets, _begun);
            owner.OnAppended(offsets);
        }

        public void OnAppendFailed(Exception failure) => owner.OnAppendFailed(failure);
    }

    private sealed class TimedReader(IPartitionReader reader, Spans reads) : IPartitionReader
    {
        public long Position => reader.Position;

        public async ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
        {
            var asked = Stopwatch.GetTimestamp();
            var batch = await reader.ReadAsync(bytesMax, ct).ConfigureAwait(false);
            reads.Add(new Span(batch.FirstOffset, batch.NextOffset, asked, Stopwatch.GetTimestamp()));
            return batch;
        }

        public ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default) =>
            reader.TryReadAsync(bytesMax, ct);

        public void Seek(long offset) => reader.Seek(offset);

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
