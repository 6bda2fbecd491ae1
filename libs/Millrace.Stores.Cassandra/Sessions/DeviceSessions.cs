using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// All that is kept of one device's sessions but messages: it changes together, from what was read to what is left
/// here when a change is done.
/// </summary>
internal sealed class DeviceSessions(string device, Guid? version, long lastEpoch)
{
    public string Device => device;

    /// <summary>Another one with each change; null before the first.</summary>
    public Guid? Version => version;

    /// <summary>The greatest that any of the device's connections had.</summary>
    public long LastEpoch { get; set; } = lastEpoch;

    /// <summary>By client id, in the order of its bytes.</summary>
    public OrderedDictionary<string, SessionHead> Heads { get; init; } = [];

    /// <summary>By client id; each in the order of its filters. None: no entry.</summary>
    public Dictionary<string, List<SessionSubscription>> Subscriptions { get; init; } = [];

    /// <summary>By epoch.</summary>
    public Dictionary<long, WillRow> Wills { get; init; } = [];

    public DeviceSessions Copy() => new(device, version, LastEpoch)
    {
        Heads = new OrderedDictionary<string, SessionHead>(Heads),
        Subscriptions = new Dictionary<string, List<SessionSubscription>>(Subscriptions),
        Wills = new Dictionary<long, WillRow>(Wills),
    };

    public StoredSession? Find(string client) => Heads.TryGetValue(client, out var head)
        ? head.Stored(new SessionKey(device, client), Subscriptions.GetValueOrDefault(client) ?? [])
        : null;

    public IEnumerable<StoredSession> All() => Heads.Keys.Select(client => Find(client)!);

    /// <summary>Ends a session, and returns it as it was.</summary>
    public StoredSession? Remove(string client)
    {
        var was = Find(client);
        Heads.Remove(client);
        Subscriptions.Remove(client);
        return was;
    }

    /// <summary>
    /// It has ended: it is removed, or held for what it leaves. Returns it as it was; null, and it stays, when somebody
    /// holds it.
    /// </summary>
    public StoredSession? End(string client, DateTimeOffset now)
    {
        var head = Heads[client];
        if (head.HeldUntil > now.ToUnixTimeMilliseconds()) return null;
        if (!head.MayLeaveShared) return Remove(client);
        var was = Find(client);
        Heads[client] = head.Hold(now);
        return was;
    }

    /// <summary>The session's head when it is of this epoch.</summary>
    public SessionHead? Owned(SessionKey key, long epoch) =>
        Heads.TryGetValue(key.ClientId, out var head) && head.Epoch == epoch ? head : null;

    /// <summary>When somebody has to look at the device again.</summary>
    public HashSet<DueHint> Hints() =>
    [
        .. Heads.Where(head => head.Value.DueAt is not null).Select(head =>
            new DueHint(DueKind.Session, head.Value.DueAt!.Value, device, head.Key, head.Value.Epoch)),
        .. Wills.Values.Where(will => will.HandOutAt is not null).Select(will =>
            new DueHint(DueKind.Will, will.HandOutAt!.Value, device, will.Client, will.Epoch)),
    ];

    /// <summary>Whose connections the device's are, and its wills'.</summary>
    public HashSet<NodeEntry> Entries() =>
    [
        .. Heads.Values.Where(head => head.IsConnected).Select(head => new NodeEntry(head.Node, device, head.Epoch)),
        .. Wills.Values.Select(will => new NodeEntry(will.Node, device, will.Epoch)),
    ];
}

internal enum DueKind
{
    /// <summary>A session expires.</summary>
    Session,

    /// <summary>A will is due.</summary>
    Will,

    /// <summary>Messages wait in an outbox; its number stands for the epoch.</summary>
    Outbox,
}

/// <summary>What has to be looked at, and when. One that is left over does no harm.</summary>
internal readonly record struct DueHint(DueKind Kind, long DueAt, string Device, string Client, long Epoch);

/// <summary>A connection of a node. One that is left over does no harm.</summary>
internal readonly record struct NodeEntry(string Node, string Device, long Epoch);
