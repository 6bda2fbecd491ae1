using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.EventLog;
using Millrace.Primitives;

namespace Millrace.Gateway.Publishing;

/// <summary>
/// The way of publishes into one partition of the telemetry topic. Connections encode straight into the batch that is
/// being filled; it is swapped for an empty one and appended, and the connections are told when it is durable. So there
/// is one append at a time, which carries all that came while the one before was written. The first is begun by who
/// encoded, all others by the thread that wrote the one before: it waits for no thread that sockets keep busy. A batch
/// that nobody waits for (QoS 0) lingers before it is appended: a write costs the same whatever it carries.
/// </summary>
internal sealed class PartitionPublisher(
    TopicPartition partition, IEventLog log, long bufferBytesMax, BatchLinger linger, SharedWork shared,
    TimeProvider time, GatewayMetrics metrics, ILogger logger) : IAppendOwner
{
    private enum State
    {
        Idle,

        /// <summary>There is a batch to append, and time for more to come into it.</summary>
        Lingering,
        Appending,
    }

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IPublishOwner> _waiting = [];
    private readonly DurableNews _news = new(partition.Partition, shared, time, metrics, logger);
    private PublishBatch _filling = new();
    private PublishBatch _spare = new();
    private long _timestampMs;
    private State _state;
    private bool _stopping;
    private bool _failing;

    public int Partition => partition.Partition;

    /// <summary>What to encode into. Only between <see cref="Enter"/> and Exit.</summary>
    public RecordBatchBuilder Records => _filling.Records;

    /// <summary>The enqueued time of what is encoded now; within the partition it never goes back.</summary>
    public long TimestampMs => _timestampMs;

    /// <summary>Whether the log is so far behind that sockets must wait. Only after <see cref="Enter"/>.</summary>
    public bool IsFull => _filling.Records.ByteCount >= bufferBytesMax;

    private bool MayLinger => !_filling.IsWaitedFor && !_stopping && !IsFull
        && _filling.Records.ByteCount < linger.BytesMax
        && _filling.Participations is [var first, ..] && time.GetElapsedTime(first.TakenAt) < linger.Most;

    /// <summary>Locks the partition for one connection's read. The thread that enters is the one that exits.</summary>
    public void Enter()
    {
        _gate.Enter();
        _filling.Spans.Watch(MessageSpans.AreOn);
        _timestampMs = Math.Max(_timestampMs, time.GetUtcNow().ToUnixTimeMilliseconds());
    }

    /// <summary>Unlocks; what was encoded is on its way.</summary>
    public void Exit(IPublishOwner? owner, int count, long lastNumber)
    {
        _filling.Records.Abandon();
        if (count > 0) _filling.Add(new Participation(owner, lastNumber, time.GetTimestamp()));
        var begin = count > 0 && TryBegin();
        _gate.Exit();
        if (begin) Append();
    }

    /// <summary>Unlocks, and calls the owner when there is room again.</summary>
    public void ExitToWait(IPublishOwner owner, int count, long lastNumber)
    {
        _waiting.Add(owner);
        Exit(owner, count, lastNumber);
    }

    /// <summary>
    /// Publishes one record that no connection waits for, and says whether it is durable. While the log is behind it
    /// waits as they do.
    /// </summary>
    /// <param name="encode">False: there is nothing to publish.</param>
    public async ValueTask<bool> PublishAsync(Func<RecordBatchBuilder, long, bool> encode)
    {
        var receipt = new PublishReceipt(count: 1);
        while (!receipt.HasFailed)
        {
            if (TryEncode(encode, receipt) is { } taken) return taken && await receipt.Durable.ConfigureAwait(false);
            await receipt.WaitForRoomAsync().ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>Null: there is no room now.</summary>
    private bool? TryEncode(Func<RecordBatchBuilder, long, bool> encode, PublishReceipt receipt)
    {
        Enter();
        if (IsFull)
        {
            ExitToWait(receipt, count: 0, lastNumber: -1);
            return null;
        }

        var taken = encode(Records, TimestampMs);
        Exit(receipt, taken ? 1 : 0, lastNumber: taken ? 0 : -1);
        if (taken) metrics.Received(1);
        return taken;
    }

    /// <summary>Completes when all that was taken is durable or has failed.</summary>
    public Task StopAsync()
    {
        bool begin;
        lock (_gate)
        {
            _stopping = true;
            begin = _state == State.Lingering && TryBegin();
            if (_state == State.Idle) _drained.TrySetResult();
        }

        if (begin) Append();
        return _drained.Task;
    }

    /// <summary>It has lingered long enough, where it still does.</summary>
    public void OnLingered()
    {
        lock (_gate)
        {
            if (_state != State.Lingering) return;
            _state = State.Appending;
        }

        Append();
    }

    void IAppendOwner.OnAppended(OffsetRange offsets)
    {
        Accept(_spare, offsets);
        if (GoesOn()) Append();
    }

    void IAppendOwner.OnAppendFailed(Exception failure)
    {
        Fail(_spare, failure);
        if (GoesOn()) Append();
    }

    /// <summary>
    /// Whether the caller, who has the lock and something to append, is to append it now: nobody else does, and it may
    /// not linger.
    /// </summary>
    private bool TryBegin()
    {
        if (_state == State.Appending) return false;
        if (!MayLinger)
        {
            _state = State.Appending;
            return true;
        }

        if (_state == State.Idle) linger.Ask(this);
        _state = State.Lingering;
        return false;
    }

    /// <summary>Whether what came while the append before was under way is to be appended now.</summary>
    private bool GoesOn()
    {
        lock (_gate)
        {
            _state = State.Idle;
            if (_filling.Records.Count > 0) return TryBegin();
            if (_stopping) _drained.TrySetResult();
            return false;
        }
    }

    /// <summary>Only by who has begun.</summary>
    private void Append()
    {
        do
        {
            // Whatever is wrong, none of these may be acknowledged, and the gateway goes on.
            var batch = Swap();
            if (TryAppend(batch) is not { } failure) return;
            Fail(batch, failure);
        }
        while (GoesOn());
    }

    private Exception? TryAppend(PublishBatch batch)
    {
        try
        {
            return log.Append(partition, batch.Records, this);
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    private PublishBatch Swap()
    {
        lock (_gate)
        {
            (_filling, _spare) = (_spare, _filling);
            _spare.Spans.Append(time);
            WakeWaiting();
            return _spare;
        }
    }

    private void WakeWaiting()
    {
        foreach (var owner in _waiting) owner.OnRoom();
        _waiting.Clear();
    }

    private void Accept(PublishBatch batch, OffsetRange offsets)
    {
        if (_failing) logger.LogTakesAgain(partition.ToString());
        _failing = false;
        metrics.Accepted(batch.Records.Count, batch.Records.ByteCount);
        _news.Tell(batch.Participations, offsets.First);
        batch.Spans.Durable(partition, offsets.First);
        batch.Clear();
    }

    /// <summary>One connection's trouble must not end the loop that all others depend on.</summary>
    private void Tell(IPublishOwner owner, LogFailure failure)
    {
        try
        {
            owner.OnLogFailed(partition.Partition, failure);
        }
        catch (Exception trouble)
        {
            logger.ConnectionFailed(trouble);
        }
    }

    /// <summary>
    /// What failed and what was filled meanwhile is dropped together: a later message of a device must not stand in the
    /// log when an earlier one does not.
    /// </summary>
    private void Fail(PublishBatch batch, Exception failure)
    {
        int dropped;
        var owners = new HashSet<IPublishOwner>();
        lock (_gate)
        {
            dropped = batch.Records.Count + _filling.Records.Count;
            foreach (var each in batch.Participations.Concat(_filling.Participations))
            {
                if (each.Owner is not null && owners.Add(each.Owner)) each.Owner.StopPublishing();
            }

            _filling.Spans.Fail();
            _filling.Clear();
            WakeWaiting();
        }

        batch.Spans.Fail();
        batch.Clear();
        metrics.Failed(dropped);
        if (!_failing) logger.LogFails(partition.ToString(), GatewayErrors.LogUnavailable.Code, owners.Count, failure);
        _failing = true;
        var kind = KindOf(failure);
        foreach (var owner in owners) Tell(owner, kind);
    }

    private static LogFailure KindOf(Exception failure)
    {
        if (failure is not MillraceException { Error.Code: var code } || code == EventLogErrors.AppendUncertain.Code)
            return LogFailure.Uncertain;
        return code == EventLogErrors.DiskFull.Code ? LogFailure.Full : LogFailure.Refused;
    }
}
