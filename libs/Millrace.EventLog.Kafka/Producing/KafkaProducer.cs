using Microsoft.Extensions.Logging;
using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// Appends to some of the partitions of the cluster. Brokers that are slow or away make appends wait, at first for
/// their answer, then for room. A producer that cannot go on is replaced.
/// </summary>
internal sealed class KafkaProducer : IAsyncDisposable
{
    private static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, string> _settings;
    private readonly KafkaLogOptions _options;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly EventLogMetrics _metrics;
    private readonly AppendRoom _room;
    private readonly Lock _gate = new();
    private ProducerClient _current;
    private long _startedAt;
    private bool _isDisposed;

    public KafkaProducer(
        KafkaLogOptions options, AppendRoom room, ILogger log, TimeProvider time, EventLogMetrics metrics)
    {
        (_options, _room, _log, _time, _metrics) = (options, room, log, time, metrics);
        _settings = KafkaSettings.Producer(options);
        _current = Start();
    }

    public TimeSpan OldestAppend => _current.OldestAppend;

    /// <summary>The owner is told later, on a thread of the producer where that has the answer.</summary>
    public void Append(
        string topic, TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner, CancellationToken ct)
    {
        var room = _room.EnterAsync(records.ByteCount, records.Count, ct);
        var append = new PendingAppend(partition, records, owner, _time.GetTimestamp());
        if (room.IsCompletedSuccessfully && _current.TryAppend(topic, append, records)) return;
        _ = AppendLaterAsync(room, topic, append, records);
    }

    public async ValueTask DisposeAsync()
    {
        ProducerClient last;
        lock (_gate)
        {
            _isDisposed = true;
            last = _current;
        }

        await last.EndAsync(_options.DrainTimeout).ConfigureAwait(false);
    }

    /// <summary>For tests.</summary>
    internal ProducerClient Current => _current;

    private async Task AppendLaterAsync(
        ValueTask room, string topic, PendingAppend append, RecordBatchBuilder records)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await room.ConfigureAwait(false);
        }
        catch (OperationCanceledException cancelled)
        {
            append.Refuse(cancelled);
            return;
        }

        try
        {
            while (_current is var producer && !producer.TryAppend(topic, append, records))
                await RenewAsync(producer).ConfigureAwait(false);
        }
        catch (Exception refusal)
        {
            _room.Exit(append.Bytes, append.Records);
            append.Refuse(refusal);
        }
    }

    /// <summary>
    /// The old producer closes by itself, and its appends fail. A new one comes at most once a second.
    /// </summary>
    private async Task RenewAsync(ProducerClient useless)
    {
        var pause = RenewalPause - _time.GetElapsedTime(Volatile.Read(ref _startedAt));
        if (pause > TimeSpan.Zero) await Task.Delay(pause, _time).ConfigureAwait(false);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_current != useless) return;
            _current = Start();
            _metrics.ProducersRenewed.Add(1);
        }
    }

    private ProducerClient Start()
    {
        Volatile.Write(ref _startedAt, _time.GetTimestamp());
        return new ProducerClient(_settings, _log, _time, Done);
    }

    private void Done(PendingAppend append)
    {
        _room.Exit(append.Bytes, append.Records);
        var topic = EventLogMetrics.Topic(append.Partition.Topic);
        if (append.Succeeded)
        {
            _metrics.Appends.Add(1, topic);
            _metrics.Records.Add(append.Records, topic);
            _metrics.Bytes.Add(append.Bytes, topic);
        }
        else _metrics.Refusals.Add(1, topic, EventLogMetrics.Reason("uncertain"));
    }
}
