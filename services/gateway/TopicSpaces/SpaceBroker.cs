using Millrace.Gateway.Limits;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Brings messages of spaces to those who subscribe. What is acknowledged is in the queue of every kept session that
/// wants it, and in the event log where the space's messages go there.
/// </summary>
internal sealed partial class SpaceBroker(
    TopicSpaceTable table, SpaceMembers members, SpaceLog log, SpaceRetained retained, ISessionStore store,
    GatewayLimits limits, GatewayMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// Copies that are made before they are handed out, which takes about a millisecond: however many a read comes to,
    /// no more than these are in memory beside the queues, and nobody else waits for longer.
    /// </summary>
    private const int CopiesAtOnce = 1_000;

    private const string SessionEnded = "session-ended";
    private const string ConnectionEnded = "connection-ended";

    public TopicSpaceTable Table => table;

    public DateTimeOffset Now => time.GetUtcNow();

    public SpaceMembers Members => members;

    public SpaceRetained Retained => retained;

    /// <summary>Messages of one sender, in their order: those that are to be retained are kept first.</summary>
    /// <param name="once">Saved in the step that queues them; null when none of them is of QoS 2.</param>
    /// <returns>For each message why it is refused, or none; and what came of the others.</returns>
    public async ValueTask<(SpaceOutcome Outcome, PublishRefusal[] Refusals)> PublishAsync(
        SessionKey sender, TelemetrySource source, IReadOnlyList<SpacePublish> messages, PublishOnce? once,
        bool isWill = false)
    {
        using var change = retained.Change(messages);
        var refusals = await retained.KeepAsync(messages).ConfigureAwait(false);
        var accepted = messages.Where((_, i) => refusals[i] == PublishRefusal.None).ToList();
        return (await PublishAcceptedAsync(sender, source, accepted, once, isWill).ConfigureAwait(false), refusals);
    }

    /// <summary>
    /// What an ended connection leaves of its shares, to other members of each, in its order. What nobody has room for
    /// is lost, and counted.
    /// </summary>
    public async ValueTask PassOnAsync(SpaceMember from, IReadOnlyList<LiveMessage> messages)
    {
        var fanout = new SpaceFanout(members, limits, from.Key);
        var next = 0;
        try
        {
            while (next < messages.Count)
            {
                for (; next < messages.Count && fanout.Count < CopiesAtOnce; next++)
                {
                    var (message, share) = messages[next];
                    var own = share with { Copies = share.Copies?.Anew() };
                    if (fanout.TryPassOn(new SpaceCopy(from, message, own))) metrics.Delivery("passed-on");
                    else metrics.DeliveryLost(ConnectionEnded);
                }

                await DeliverAsync(fanout, once: null).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            metrics.DeliveryLost(ConnectionEnded, fanout.Count + messages.Count - next);
            throw;
        }
    }

    /// <summary>
    /// What waits for its shares in a kept session that has ended, to other members of each, in its order.
    /// </summary>
    /// <param name="messages">No more than are read from a store at once, all with a share.</param>
    /// <returns>For how many somebody was there to have them.</returns>
    public async ValueTask<int> PassOnAsync(SpaceMember from, IReadOnlyList<OutboundMessage> messages)
    {
        var fanout = new SpaceFanout(members, limits, from.Key);
        foreach (var message in messages)
        {
            if (members.FindGroup(message.Share!) is not var (space, group)) continue;
            var copies = new MessageCopies(SpacePublish.Of(space, message));
            fanout.TryPassOn(new SpaceCopy(from, message, new SpaceShare(group, copies, message.Share)));
        }

        var passedOn = fanout.Count;
        await DeliverAsync(fanout, once: null).ConfigureAwait(false);
        metrics.Delivery("passed-on", passedOn);
        return passedOn;
    }

    private async ValueTask<SpaceOutcome> PublishAcceptedAsync(
        SessionKey sender, TelemetrySource source, List<SpacePublish> messages, PublishOnce? once, bool isWill)
    {
        metrics.Received(messages.Count);

        // Those that go to the log are counted where they are appended.
        var others = messages.Where(each => each.Space.EventLogTopic is null).ToList();
        var outcome = SpaceOutcome.LogFailed;
        try
        {
            var logged = await log.AppendAsync(source, messages, isWill).ConfigureAwait(false);
            if (logged != SpaceOutcome.Done) return logged;
            var isOwner = await DeliverAsync(sender, messages, once).ConfigureAwait(false);
            return outcome = isOwner ? SpaceOutcome.Done : SpaceOutcome.NotOwner;
        }
        finally
        {
            if (outcome == SpaceOutcome.Done) metrics.Accepted(others.Count, others.Sum(each => each.Payload.Length));
            else metrics.Failed(others.Count, outcome == SpaceOutcome.NotOwner ? "taken-over" : "not-durable");
        }
    }

    /// <summary>False: the sender's session is another connection's.</summary>
    private async ValueTask<bool> DeliverAsync(
        SessionKey sender, IReadOnlyList<SpacePublish> messages, PublishOnce? once)
    {
        var fanout = new SpaceFanout(members, limits, sender);
        for (var next = 0; next < messages.Count;)
        {
            while (next < messages.Count && fanout.Count < CopiesAtOnce) fanout.Add(messages[next++]);
            if (!await DeliverAsync(fanout, once?.With(messages.Take(next))).ConfigureAwait(false)) return false;
        }

        return true;
    }

    private async ValueTask<bool> DeliverAsync(SpaceFanout fanout, PublishOnce? once)
    {
        while (fanout.Count > 0)
        {
            foreach (var sent in fanout.Before) await sent.ConfigureAwait(false);
            if (!await HandOutAsync(fanout, once).ConfigureAwait(false)) return false;

            // What a QoS 2 publish saves is saved: a copy that goes on from here is lost if the gateway dies now.
            once = null;
            foreach (var (copy, reason) in fanout.Clear())
                if (!fanout.TryPassOn(copy)) metrics.DeliveryLost(reason);
            if (fanout.Count > 0) await GiveWayAsync().ConfigureAwait(false);
        }

        return true;
    }

    private async ValueTask<bool> HandOutAsync(SpaceFanout fanout, PublishOnce? once)
    {
        if (!await QueueAsync(fanout, once).ConfigureAwait(false)) return false;
        for (var i = 0; i < fanout.Live.Count; i++)
        {
            Hand(fanout, fanout.Live[i]);
            if (i % CopiesAtOnce == CopiesAtOnce - 1) await GiveWayAsync().ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>To others who wait for this thread; an event loop is left to its sockets for good.</summary>
    private static async ValueTask GiveWayAsync() =>
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    private void Hand(SpaceFanout fanout, in SpaceCopy copy)
    {
        string? refusal = null;
        if (copy.Member.Connection is not { } connection) fanout.Refused.Add((copy, "qos-0-not-connected"));
        else if (connection.TryDeliver(copy.Message, out refusal, copy.Share)) metrics.Delivery("queued");
        else fanout.Refused.Add((copy, refusal!));
    }

    private async ValueTask<bool> QueueAsync(SpaceFanout fanout, PublishOnce? once)
    {
        if (fanout.Stored.Count == 0) return true;
        var now = time.GetUtcNow();
        var results = once is null
            ? await store.EnqueueAsync(fanout.Stored, now).ConfigureAwait(false)
            : await store.EnqueueOnceAsync(fanout.Stored, now, once.Sender, once.Epoch, once.Inbound)
                .ConfigureAwait(false);
        if (results is null) return false;
        var grown = new HashSet<SpaceMember>();
        for (var i = 0; i < results.Count; i++)
        {
            var copy = fanout.StoredFor[i];
            switch (results[i].Outcome)
            {
                case EnqueueOutcome.Queued:
                    metrics.Delivery("queued");
                    copy.Member.Took(copy.Message.Bytes);
                    grown.Add(copy.Member);
                    break;
                case EnqueueOutcome.Full:
                    // One that no queue of this size can ever hold says nothing of the room that there is.
                    if (fanout.CanEverHold(copy)) copy.Member.Refuse(copy.Message.Bytes, copy.Freed);
                    fanout.Refused.Add((copy, "queue-full"));
                    break;
                case EnqueueOutcome.NoSession: fanout.Refused.Add((copy, SessionEnded)); break;
            }
        }

        foreach (var member in grown) member.Connection?.QueueGrew();
        return true;
    }
}
