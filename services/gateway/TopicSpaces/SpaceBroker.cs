using Millrace.Gateway.Limits;
using Millrace.Gateway.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Brings messages of spaces to those who subscribe. What is acknowledged is in the queue of every kept session that
/// wants it, and in the event log where the space's messages go there.
/// </summary>
internal sealed class SpaceBroker(
    TopicSpaceTable table, SpaceMembers members, SpaceLog log, SpaceRetained retained, ISessionStore store,
    GatewayLimits limits, GatewayMetrics metrics, TimeProvider time)
{
    public TopicSpaceTable Table => table;

    public DateTimeOffset Now => time.GetUtcNow();

    public SpaceMembers Members => members;

    public SpaceRetained Retained => retained;

    /// <summary>Messages of one sender, in their order.</summary>
    /// <param name="once">Saved in the step that queues them; null when none of them is of QoS 2.</param>
    public async ValueTask<SpaceOutcome> PublishAsync(
        SessionKey sender, TelemetrySource source, IReadOnlyList<SpacePublish> messages, PublishOnce? once,
        bool isWill = false)
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

    /// <summary>What is retained goes to one who has just subscribed.</summary>
    public async ValueTask SendRetainedAsync(SpaceMember member, SpaceGrant grant)
    {
        var queue = limits.Of(member.Key.DeviceId).Queue;
        await foreach (var page in retained.FindAsync(grant).ConfigureAwait(false))
        {
            var toStore = page.Where(each => each.Qos > 0 && member.IsStored).ToList();
            foreach (var each in page)
                if (each.Qos == 0 || !member.IsStored) Hand(member, each);
            await QueueAsync(toStore.ConvertAll(each => new SessionMessage(member.Key, each, queue)),
                toStore.ConvertAll(_ => member), null).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> DeliverAsync(
        SessionKey sender, IReadOnlyList<SpacePublish> messages, PublishOnce? once)
    {
        var fanout = new SpaceFanout(members, limits, sender);
        foreach (var message in messages) fanout.Add(message);
        if (!await QueueAsync(fanout.Stored, fanout.StoredFor, once).ConfigureAwait(false)) return false;
        foreach (var (member, message) in fanout.Live) Hand(member, message);
        return true;
    }

    private void Hand(SpaceMember member, OutboundMessage message)
    {
        string? refusal = null;
        if (member.Connection is not { } connection) metrics.DeliveryLost("qos-0-not-connected");
        else if (connection.TryDeliver(message, out refusal)) metrics.Delivery("queued");
        else metrics.DeliveryLost(refusal!);
    }

    private async ValueTask<bool> QueueAsync(
        List<SessionMessage> messages, List<SpaceMember> receivers, PublishOnce? once)
    {
        if (messages.Count == 0) return true;
        var now = time.GetUtcNow();
        var results = once is null
            ? await store.EnqueueAsync(messages, now).ConfigureAwait(false)
            : await store.EnqueueOnceAsync(messages, now, once.Sender, once.Epoch, once.Inbound)
                .ConfigureAwait(false);
        if (results is null) return false;
        var grown = new HashSet<SpaceMember>();
        for (var i = 0; i < results.Count; i++)
        {
            switch (results[i].Outcome)
            {
                case EnqueueOutcome.Queued:
                    metrics.Delivery("queued");
                    grown.Add(receivers[i]);
                    break;
                case EnqueueOutcome.Full:
                    receivers[i].IsFull = true;
                    metrics.DeliveryLost("queue-full");
                    break;
                case EnqueueOutcome.NoSession: metrics.DeliveryLost("session-ended"); break;
            }
        }

        foreach (var member in grown) member.Connection?.QueueGrew();
        return true;
    }
}
