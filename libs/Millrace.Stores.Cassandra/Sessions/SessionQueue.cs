using Millrace.Cql;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>One session's queue while messages are added to it in one change.</summary>
/// <param name="outbox">Where they come from, when they do from one.</param>
/// <param name="outboxes">Which ones of this process there are.</param>
internal sealed class SessionQueue(
    SessionMessages messages, SessionKey key, SessionHead head, DateTimeOffset now, OutboxStep? outbox,
    OpenOutboxes outboxes)
{
    private readonly Dictionary<string, long> _sources = new(head.Sources);
    private readonly Dictionary<long, BoundStatement> _writes = [];
    private readonly List<(long Sequence, int Bytes)> _expiredOfChange = [];
    private readonly bool _isKnown = outbox is { } step && head.Knows(step);
    private int _count = head.Queued;
    private long _bytes = head.QueuedBytes;
    private long _last = head.LastSequence;
    private bool _hasLooked;
    private bool _hadShared = head.HadShared;

    /// <summary>Messages that were removed to make room.</summary>
    public int ExpiredCount { get; private set; }

    public async ValueTask<EnqueueResult> AddAsync(
        OutboundMessage message, QueueLimits limits, CancellationToken ct)
    {
        if (_isKnown || (message.Source is { } source && IsKnown(source)))
            return new EnqueueResult(EnqueueOutcome.Known, 0);
        var bytes = SessionMessages.BytesOf(message);
        if (!HasRoom(bytes, limits))
        {
            await RemoveExpiredAsync(ct).ConfigureAwait(false);
            if (!HasRoom(bytes, limits)) return new EnqueueResult(EnqueueOutcome.Full, 0);
        }

        if (message.Source is { } queued) _sources[SessionHead.SourceOf(queued.Partition)] = queued.Offset;
        (_count, _bytes, _last) = (_count + 1, _bytes + bytes, _last + 1);
        _hadShared |= message.Share is not null;
        _writes[_last] = await messages.InsertAsync(key, new QueuedMessage(_last, message, false), bytes, ct)
            .ConfigureAwait(false);
        if (message.ExpiresAt <= now && _last > head.SentSequence) _expiredOfChange.Add((_last, bytes));
        return new EnqueueResult(EnqueueOutcome.Queued, _last);
    }

    /// <summary>What is written, and the head as it is then.</summary>
    public (IEnumerable<BoundStatement> Writes, SessionHead Head) End()
    {
        var isNew = outbox is not null && !_isKnown;
        return (_writes.Values, _last == head.LastSequence && _writes.Count == 0 && !isNew
            ? head
            : head with
            {
                LastSequence = _last,
                Queued = _count,
                QueuedBytes = _bytes,
                HadShared = _hadShared,
                FirstSequence = head.Queued == 0 ? head.LastSequence + 1 : FirstLeft(),
                Sources = _sources,
                KnownOutboxes = isNew ? outboxes.KnownWith(head, outbox!.Value, now) : head.KnownOutboxes,
                Outboxes = isNew ? [] : head.Outboxes,
            });
    }

    private long FirstLeft()
    {
        var first = head.FirstSequence;
        while (first <= head.LastSequence && _writes.ContainsKey(first)) first++;
        return first;
    }

    private bool HasRoom(int bytes, QueueLimits limits) =>
        _count < limits.MessagesMax && _bytes + bytes <= limits.BytesMax;

    private bool IsKnown(Contracts.PartitionOffset source) =>
        source.Offset <= _sources.GetValueOrDefault(SessionHead.SourceOf(source.Partition), -1);

    /// <summary>
    /// Not those that may have been sent: the device may hold their packet ids, and what a connection has sent so far
    /// is not known here.
    /// </summary>
    private async ValueTask RemoveExpiredAsync(CancellationToken ct)
    {
        if (head.IsConnected) return;
        foreach (var (sequence, bytes) in _expiredOfChange)
        {
            _writes.Remove(sequence);
            Free(bytes);
        }

        _expiredOfChange.Clear();
        if (_hasLooked) return;
        _hasLooked = true;
        var from = Math.Max(head.SentSequence + 1, head.FirstSequence);
        foreach (var (sequence, bytes) in await messages.ExpiredAsync(key, from, head.LastSequence, now, ct)
            .ConfigureAwait(false))
        {
            _writes[sequence] = await messages.DeleteAsync(key, sequence, ct).ConfigureAwait(false);
            Free(bytes);
        }
    }

    private void Free(int bytes) => (_count, _bytes, ExpiredCount) = (_count - 1, _bytes - bytes, ExpiredCount + 1);
}
