using System.Collections.Concurrent;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// The outboxes that this process brings to their queues. Each queue remembers those that it had, for a sweep may bring
/// one again: of this process until it has emptied them, of others for a day.
/// </summary>
internal sealed class OpenOutboxes
{
    // A process leaves no more than it had open at once, whatever went through it before.
    private const int KnownMax = 1_000;
    private static readonly TimeSpan Age = TimeSpan.FromDays(1);

    private readonly Guid _process = Guid.NewGuid();
    private readonly ConcurrentDictionary<long, DateTimeOffset> _open = [];

    public void Begin(Outbox outbox, DateTimeOffset now) => _open[outbox.Number] = now;

    /// <summary>It is empty, and no sweep has found it before.</summary>
    public void End(Outbox outbox) => _open.TryRemove(outbox.Number, out _);

    /// <summary>What failed, or came from a sweep, is over when it is old.</summary>
    public void EndOld(DateTimeOffset now)
    {
        foreach (var (number, begunAt) in _open)
            if (begunAt < now - Age) _open.TryRemove(number, out _);
    }

    /// <summary>What the queue remembers when it has had this one, too.</summary>
    public List<KnownOutbox> KnownWith(SessionHead head, OutboxStep step, DateTimeOffset now)
    {
        var (at, since) = (now.ToUnixTimeMilliseconds(), (now - Age).ToUnixTimeMilliseconds());
        var ofOlderVersions = head.Outboxes.Select(id => new KnownOutbox(id, 0, Guid.Empty, at));
        var known = head.KnownOutboxes.Where(one =>
            one.At > since && (one.Process != _process || _open.ContainsKey(one.Number)));
        return
        [
            .. ofOlderVersions.Concat(known).TakeLast(KnownMax - 1),
            new KnownOutbox(step.Id, step.Number, _process, at),
        ];
    }
}

/// <summary>What a queue remembers of an outbox that it had.</summary>
/// <param name="Process">That brought it.</param>
/// <param name="At">When it came, in ms since 1970.</param>
internal readonly record struct KnownOutbox(Guid Id, long Number, Guid Process, long At);
