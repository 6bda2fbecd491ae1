using System.Diagnostics;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>What waits for the device.</summary>
internal sealed partial class CassandraSessionStore
{
    /// <summary>So long may the process that filled an outbox take to empty it.</summary>
    private static readonly TimeSpan OutboxPatience = TimeSpan.FromSeconds(30);

    public ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, CancellationToken ct) =>
        EnqueueAsync(messages, now, null, ct);

    /// <summary>
    /// Several partitions cannot change in one step. So the messages go with what is saved of the sender into its own,
    /// and from there to their sessions, each of which knows the outbox that it had; who dies in between leaves the
    /// rest to the next sweep.
    /// </summary>
    public async ValueTask<IReadOnlyList<EnqueueResult>?> EnqueueOnceAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, SessionKey sender, long epoch,
        InboundExchanges inbound, CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        var number = await _epochs.NextAsync().WaitAsync(ct).ConfigureAwait(false);
        var outbox = Outbox.Of(messages, number, now);
        var hint = HintOf(sender.DeviceId, outbox);
        await _indexes.AddAsync(hint, ct).ConfigureAwait(false);
        _openOutboxes.Begin(outbox, now);
        var isOwner = await OwnedAsync(sender, epoch, async (change, head) =>
        {
            change.Sessions.Heads[sender.ClientId] = head with { Inbound = inbound };
            change.Writes.Add(await _outboxes.InsertAsync(sender.DeviceId, outbox, ct).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        var results = isOwner
            ? await EnqueueAsync(messages, now, outbox, ct).ConfigureAwait(false)
            : null;
        if (isOwner) await EmptyAsync(sender.DeviceId, outbox, ct).ConfigureAwait(false);
        if (Stopwatch.GetElapsedTime(begun) < OutboxPatience / 2) _openOutboxes.End(outbox);
        await _indexes.RemoveAsync(hint, ct).ConfigureAwait(false);
        return results;
    }

    public async ValueTask<IReadOnlyList<QueuedMessage>> QueueAsync(
        SessionKey key, long afterSequence, int max, long bytesMax, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        var sessions = await _rows.ReadAsync(key.DeviceId, ct).ConfigureAwait(false);
        if (sessions.Heads.GetValueOrDefault(key.ClientId) is not { Queued: > 0 } head) return [];
        var (queue, sum) = (new List<QueuedMessage>(), 0L);
        var from = Math.Max(afterSequence + 1, head.FirstSequence);
        await foreach (var (message, bytes) in _messages.ReadAsync(
            key, from, head.LastSequence, Math.Min(max, head.Queued), ct).ConfigureAwait(false))
        {
            queue.Add(message);
            if ((sum += bytes) >= bytesMax) break;
        }

        return queue;
    }

    public ValueTask<bool> RemoveAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct) =>
        OwnedAsync(key, epoch, async (change, head) =>
        {
            var found = await _messages.FindAsync(key, sequences, ct).ConfigureAwait(false);
            if (found.Count == 0) return;
            SortedSet<long> gone = [.. found.Select(one => one.Message.Sequence)];
            var first = await FirstWithoutAsync(key, head, gone, ct).ConfigureAwait(false);
            if (first > head.FirstSequence)
                change.Writes.Add(await _messages.DeleteBeforeAsync(key, first, ct).ConfigureAwait(false));
            foreach (var sequence in gone.Where(sequence => sequence >= first))
                change.Writes.Add(await _messages.DeleteAsync(key, sequence, ct).ConfigureAwait(false));
            change.Sessions.Heads[key.ClientId] = head with
            {
                FirstSequence = first,
                Queued = head.Queued - found.Count,
                QueuedBytes = head.QueuedBytes - found.Sum(one => (long)one.Bytes),
            };
        }, ct);

    public ValueTask<bool> MarkReceivedAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct) =>
        OwnedAsync(key, epoch, async (change, head) =>
        {
            var freed = 0L;
            foreach (var (queued, bytes) in await _messages.FindAsync(key, sequences, ct).ConfigureAwait(false))
            {
                var message = queued.Message with { Properties = [], Payload = [] };
                var left = SessionMessages.BytesOf(message);
                change.Writes.Add(await _messages.InsertAsync(
                    key, new QueuedMessage(queued.Sequence, message, true), left, ct).ConfigureAwait(false));
                freed += bytes - left;
            }

            if (freed > 0)
                change.Sessions.Heads[key.ClientId] = head with { QueuedBytes = head.QueuedBytes - freed };
        }, ct);

    /// <summary>
    /// Where the queue begins when these have gone. They mostly go in order, and what is left tells it; else the
    /// beginning falls behind, and is looked for when it is far.
    /// </summary>
    private async ValueTask<long> FirstWithoutAsync(
        SessionKey key, SessionHead head, SortedSet<long> gone, CancellationToken ct)
    {
        const int FallsBehindMax = 1_000;
        if (gone.Count == head.Queued) return head.LastSequence + 1;
        var first = gone.Min - head.FirstSequence < FallsBehindMax
            ? head.FirstSequence
            : await _messages.FirstAsync(key, head.FirstSequence, gone.Min, ct).ConfigureAwait(false);
        while (gone.Contains(first)) first++;
        return first;
    }

    private async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, Outbox? outbox,
        CancellationToken ct)
    {
        var results = new EnqueueResult[messages.Count];
        var devices = Enumerable.Range(0, messages.Count).GroupBy(i => messages[i].Key.DeviceId);
        await InFlight.ForEachAsync(devices, ct, async (device, token) =>
        {
            var steps = Steps.Of(device, i => SessionMessages.BytesOf(messages[i].Message)).ToList();
            for (var step = 0; step < steps.Count; step++)
            {
                var (indexes, source) = (steps[step], outbox?.Step(step));
                var some = indexes.ConvertAll(i => messages[i]);
                var queued = await _changes.MakeAsync(
                    device.Key, change => EnqueueAsync(change, some, now, source, token), token)
                    .ConfigureAwait(false);
                for (var i = 0; i < queued.Length; i++) results[indexes[i]] = queued[i];
            }
        }).ConfigureAwait(false);
        return results;
    }

    private async ValueTask<EnqueueResult[]> EnqueueAsync(
        SessionChange change, List<SessionMessage> messages, DateTimeOffset now, OutboxStep? outbox,
        CancellationToken ct)
    {
        var results = new EnqueueResult[messages.Count];
        var queues = new Dictionary<SessionKey, SessionQueue?>();
        for (var i = 0; i < results.Length; i++)
        {
            var (key, message, limits) = messages[i];
            if (!queues.TryGetValue(key, out var queue))
                queues.Add(key, queue = QueueOf(change.Sessions, key, now, outbox));
            results[i] = queue is null
                ? new EnqueueResult(EnqueueOutcome.NoSession, 0)
                : await queue.AddAsync(message, limits, ct).ConfigureAwait(false);
        }

        foreach (var (key, queue) in queues)
        {
            if (queue is null) continue;
            var (writes, head) = queue.End();
            change.Writes.AddRange(writes);
            change.Sessions.Heads[key.ClientId] = head;
            change.Expired += queue.ExpiredCount;
        }

        return results;
    }

    private SessionQueue? QueueOf(
        DeviceSessions sessions, SessionKey key, DateTimeOffset now, OutboxStep? outbox) =>
        sessions.Heads.GetValueOrDefault(key.ClientId) is { } head && !head.HasExpired(now)
            ? new SessionQueue(_messages, key, head, now, outbox, _openOutboxes)
            : null;

    private async ValueTask FinishOutboxesAsync(DateTimeOffset now, CancellationToken ct)
    {
        const int HintsOfRead = 100;
        _openOutboxes.EndOld(now);
        foreach (var hint in await _indexes.DueAsync(DueKind.Outbox, now, HintsOfRead, ct).ConfigureAwait(false))
        {
            var outbox = await _outboxes.FindAsync(hint.Device, hint.Epoch, ct).ConfigureAwait(false);
            if (outbox is not null)
            {
                // It stays open: another gateway's sweep may have found it, too.
                _openOutboxes.Begin(outbox, now);
                await EnqueueAsync(outbox.Whole(), now, outbox, ct).ConfigureAwait(false);
                await EmptyAsync(hint.Device, outbox, ct).ConfigureAwait(false);
            }
            else if (!IsOver(hint, now)) continue;

            await _indexes.RemoveAsync(hint, ct).ConfigureAwait(false);
        }
    }

    private async ValueTask EmptyAsync(string device, Outbox outbox, CancellationToken ct) =>
        await _changes.MakeAsync(device, async change =>
        {
            change.Writes.Add(await _outboxes.DeleteAsync(device, outbox.Number, ct).ConfigureAwait(false));
            return true;
        }, ct).ConfigureAwait(false);

    private static DueHint HintOf(string device, Outbox outbox) => new(DueKind.Outbox,
        (outbox.At + OutboxPatience).ToUnixTimeMilliseconds(), device, "", outbox.Number);
}
