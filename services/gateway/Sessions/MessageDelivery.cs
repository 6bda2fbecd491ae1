using Millrace.Gateway.Limits;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Gives messages to the sessions of their device whose subscriptions match: one copy to each session, with the highest
/// QoS that it was granted and the identifiers of all that match (MQTT 5 §3.3.4).
/// </summary>
internal sealed class MessageDelivery(
    ISessionStore store, ConnectionTable connections, GatewayLimits limits, GatewayMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// When it fails, nothing was handed out that the next try hands out again: what the store has of it is known
    /// there, and what is in memory alone, or is lost, comes after the store.
    /// </summary>
    public async ValueTask DeliverAsync(IReadOnlyList<DeviceMessage> messages, CancellationToken ct)
    {
        var copies = new Copies([], [], []);
        var stored = new Dictionary<string, IReadOnlyList<StoredSession>>();
        foreach (var message in messages)
        {
            if (!stored.TryGetValue(message.DeviceId, out var sessions))
            {
                sessions = await store.OfDeviceAsync(message.DeviceId, ct).ConfigureAwait(false);
                stored[message.DeviceId] = sessions;
            }

            if (!Copy(message, sessions, copies)) copies.Lost.Add("no-session");
        }

        if (copies.ToStore.Count > 0) await QueueAsync(copies.ToStore, ct).ConfigureAwait(false);
        foreach (var (connection, copy) in copies.Live) Hand(connection, copy);
        foreach (var reason in copies.Lost) Lost(reason);
    }

    public void Lost(string reason) => metrics.DeliveryLost(reason);

    /// <summary>True when a session is there that wants the message.</summary>
    private bool Copy(DeviceMessage message, IReadOnlyList<StoredSession> sessions, Copies copies)
    {
        var live = connections.OfDevice(message.DeviceId);
        var queue = limits.Of(message.DeviceId).Queue;
        var wanted = false;
        foreach (var session in sessions)
        {
            if (CopyFor(session.Subscriptions, message) is not { } copy) continue;
            wanted = true;
            if (copy.Qos > 0) copies.ToStore.Add(new SessionMessage(session.Key, copy, queue));
            else if (live.FirstOrDefault(each => each.ClientId == session.Key.ClientId) is { } connection)
                copies.Live.Add((connection, copy));
            else if (!session.IsConnected) copies.Lost.Add("qos-0-not-connected");
        }

        foreach (var connection in live)
        {
            if (connection.DeviceSession is not { IsStored: false } session) continue;
            if (CopyFor(session.Subscriptions, message) is not { } copy) continue;
            wanted = true;
            copies.Live.Add((connection, copy));
        }

        return wanted;
    }

    private void Hand(MqttConnection connection, OutboundMessage copy)
    {
        if (connection.TryDeliver(copy, out var refusal)) metrics.Delivery("queued");
        else Lost(refusal!);
    }

    private async ValueTask QueueAsync(List<SessionMessage> messages, CancellationToken ct)
    {
        var results = await store.EnqueueAsync(messages, time.GetUtcNow(), ct).ConfigureAwait(false);
        var grown = new HashSet<SessionKey>();
        for (var i = 0; i < results.Count; i++)
        {
            switch (results[i].Outcome)
            {
                case EnqueueOutcome.Queued:
                    metrics.Delivery("queued");
                    grown.Add(messages[i].Key);
                    break;

                // Another gateway has queued it, and does not know the connection that is here.
                case EnqueueOutcome.Known: grown.Add(messages[i].Key); break;
                case EnqueueOutcome.Full: Lost("queue-full"); break;
                case EnqueueOutcome.NoSession: Lost("session-ended"); break;
            }
        }

        foreach (var key in grown)
        {
            foreach (var connection in connections.OfDevice(key.DeviceId))
            {
                if (connection.ClientId == key.ClientId && connection.DeviceSession is { IsStored: true })
                    connection.QueueGrew();
            }
        }
    }

    private static OutboundMessage? CopyFor(IReadOnlyList<SessionSubscription> subscriptions, DeviceMessage message)
    {
        var topic = message.Message.Topic;
        var matching = subscriptions.Where(each => OwnTopics.Matches(each.Filter, topic, message.DeviceId)).ToList();
        if (matching.Count == 0) return null;
        return message.Message with
        {
            Qos = Math.Min(message.Message.Qos, matching.Max(each => each.Qos)),
            SubscriptionIds = [.. matching.Where(each => each.Identifier > 0).Select(each => each.Identifier)],
        };
    }

    /// <param name="Live">For connections, in memory.</param>
    /// <param name="Lost">Why there is none.</param>
    private sealed record Copies(
        List<SessionMessage> ToStore, List<(MqttConnection Connection, OutboundMessage Copy)> Live, List<string> Lost);
}
