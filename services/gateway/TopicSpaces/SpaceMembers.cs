using System.Text;
using Millrace.Gateway.Mqtt;
using Millrace.Mqtt.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Who subscribes to what in the spaces: sessions with a connection, and those that are kept without one.
/// </summary>
internal sealed class SpaceMembers(TopicSpaceTable table, GatewayMetrics metrics)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<SpaceMember>> _devices = [];
    private readonly Dictionary<string, TopicTree<SpaceSubscription>> _trees = table.Spaces.ToDictionary(
        space => space.Name, _ => new TopicTree<SpaceSubscription>(each => each.Readiness));

    /// <summary>Subscriptions in all spaces.</summary>
    public int SubscriptionCount => _trees.Values.Sum(tree => tree.Count);

    public void Match(TopicSpace space, ReadOnlySpan<byte> topic, List<TopicMatch<SpaceSubscription>> into) =>
        _trees[space.Name].Match(topic, into);

    /// <summary>Those who share a subscription, and in which space; null when nobody has it.</summary>
    /// <param name="filter">As it was subscribed to: $share/group/filter.</param>
    public (TopicSpace Space, SharedGroup<SpaceSubscription> Group)? FindGroup(string filter)
    {
        var bytes = Encoding.UTF8.GetBytes(filter);
        foreach (var space in table.Spaces)
            if (_trees[space.Name].FindGroup(bytes) is { } group) return (space, group);
        return null;
    }

    /// <summary>A session begins or goes on, with these subscriptions and no others.</summary>
    /// <param name="connection">Null: its device is away.</param>
    public SpaceMember Enter(
        SessionKey key, string sessionId, MqttConnection? connection, IReadOnlyList<SpaceGrant> granted)
    {
        lock (_gate)
        {
            var member = Find(key);
            if (member is null || member.SessionId != sessionId)
            {
                if (member is not null) Remove(member);
                member = new SpaceMember(key, sessionId);
                if (!_devices.TryGetValue(key.DeviceId, out var list)) _devices[key.DeviceId] = list = new(capacity: 1);
                list.Add(member);
            }

            member.Connection = connection;
            foreach (var (space, asked) in granted) Subscribe(member, space, asked);
            var filters = granted.Select(each => each.Asked.Filter).ToHashSet();
            foreach (var gone in member.Subscriptions.Keys.Where(filter => !filters.Contains(filter)).ToList())
                Unsubscribe(member, gone);
            return member;
        }
    }

    /// <param name="sendsRetained">What is retained under the filter is to be sent to the member as well.</param>
    public void Subscribe(
        SpaceMember member, TopicSpace space, SessionSubscription asked, bool sendsRetained = false)
    {
        lock (_gate)
        {
            if (sendsRetained) member.FeedRetained().Add(new SpaceGrant(space, asked), SubscribeLocked);
            else SubscribeLocked();
        }

        void SubscribeLocked()
        {
            // A filter that is granted again is in the same space: a topic belongs to one.
            if (member.Subscriptions.TryGetValue(asked.Filter, out var known))
            {
                known.Change(asked);
                return;
            }

            var added = new SpaceSubscription(member, space, asked);
            member.Subscriptions.Add(asked.Filter, added);
            _trees[space.Name].Add(Encoding.UTF8.GetBytes(asked.Filter), added);
        }
    }

    public void Unsubscribe(SpaceMember member, string filter)
    {
        lock (_gate)
        {
            if (!member.Subscriptions.Remove(filter, out var gone)) return;
            member.Retained?.Remove(filter);
            _trees[gone.Space.Name].Remove(Encoding.UTF8.GetBytes(filter), gone);
        }
    }

    /// <summary>The connection ends; a session that is kept goes on without.</summary>
    public void Leave(SpaceMember member)
    {
        lock (_gate)
        {
            member.Connection = null;
            if (!member.IsStored) Remove(member);
        }
    }

    /// <summary>The kept session has ended, if it is still this one.</summary>
    public void End(SessionKey key, string sessionId)
    {
        lock (_gate)
        {
            if (Find(key) is { } member && member.SessionId == sessionId) Remove(member);
        }
    }

    /// <summary>Takes from sessions of a device that is away what it may not subscribe to any more.</summary>
    public void Recheck(string deviceId, TopicAccess access)
    {
        lock (_gate)
        {
            foreach (var member in _devices.GetValueOrDefault(deviceId) ?? [])
            {
                if (member.Connection is not null) continue;
                foreach (var filter in member.Subscriptions.Keys.ToList())
                {
                    if (access.Subscribe(Encoding.UTF8.GetBytes(filter), out _) == TopicDecision.Granted) continue;
                    Unsubscribe(member, filter);
                    metrics.SubscriptionRevoked();
                }
            }
        }
    }

    private SpaceMember? Find(SessionKey key) =>
        _devices.GetValueOrDefault(key.DeviceId)?.Find(member => member.Key == key);

    private void Remove(SpaceMember member)
    {
        foreach (var filter in member.Subscriptions.Keys.ToList()) Unsubscribe(member, filter);
        if (!_devices.TryGetValue(member.Key.DeviceId, out var list)) return;
        list.Remove(member);
        if (list.Count == 0) _devices.Remove(member.Key.DeviceId);
    }
}
