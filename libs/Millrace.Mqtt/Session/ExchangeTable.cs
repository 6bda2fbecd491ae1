namespace Millrace.Mqtt.Session;

/// <summary>What came of a PUBREL.</summary>
public enum ReleaseOutcome : byte
{
    /// <summary>The exchange is over; its packet identifier is free.</summary>
    Released,

    /// <summary>No publish is open under this packet identifier.</summary>
    Unknown,

    /// <summary>The publish is open, and was not answered yet: no client may release it.</summary>
    TooEarly,
}

/// <summary>
/// The QoS 2 publishes of a session that the client has not released (MQTT 5 §4.3.3): method A of the receiver, which
/// keeps packet identifiers. Each publish is an exchange with a number of its own, because packet identifiers recur.
/// Used by the connection's reader alone; what the acknowledgements' writer knows is asked of <see cref="AckWindow"/>.
/// </summary>
public sealed class ExchangeTable
{
    private const long FromBefore = -1;

    private readonly Dictionary<ushort, Entry> _open = [];
    private long _receiptsReleased;

    /// <param name="last">The number of the last exchange that the session has had.</param>
    /// <param name="open">What earlier connections left open: all of it durable.</param>
    public ExchangeTable(long last = 0, IEnumerable<(ushort PacketId, long Exchange)>? open = null)
    {
        Last = last;
        foreach (var (packetId, exchange) in open ?? [])
        {
            _open[packetId] = new Entry(exchange, FromBefore, Lane: 0, Receipts: 0);
            Last = Math.Max(Last, exchange);
        }
    }

    /// <summary>The number of the last exchange; the next has the one after.</summary>
    public long Last { get; private set; }

    public int Count => _open.Count;

    public bool Contains(ushort packetId) => _open.ContainsKey(packetId);

    /// <summary>Opens an exchange, under the next number.</summary>
    /// <param name="number">Its number in the window.</param>
    public void Begin(ushort packetId, int lane, long number) =>
        _open.Add(packetId, new Entry(++Last, number, checked((short)lane), Receipts: 1));

    /// <summary>Opens one that is as durable as it has to be, and answered.</summary>
    public void BeginDurable(ushort packetId) =>
        _open.Add(packetId, new Entry(++Last, FromBefore, Lane: 0, Receipts: 1));

    /// <summary>
    /// A publish that is open came again: the second time, it is answered, and not taken. While the first answer is
    /// still to come, it is the answer to both. True when there is an answer to write.
    /// </summary>
    public bool Repeat(ushort packetId, AckWindow acks)
    {
        var entry = _open[packetId];
        if (!acks.HasLeft(entry.Number)) return false;
        acks.AddAnswered(packetId, ReasonCode.Success, PacketType.PubRec);
        _open[packetId] = entry with { Receipts = entry.Receipts + 1 };
        return true;
    }

    public ReleaseOutcome Release(ushort packetId, AckWindow? acks)
    {
        if (!_open.TryGetValue(packetId, out var entry)) return ReleaseOutcome.Unknown;
        if (entry.Number != FromBefore && acks?.HasLeft(entry.Number) != true) return ReleaseOutcome.TooEarly;
        _open.Remove(packetId);
        _receiptsReleased += entry.Receipts;
        return ReleaseOutcome.Released;
    }

    /// <summary>
    /// How many publishes of this connection have their PUBREC and not their PUBCOMP: with those that the window holds,
    /// what counts against the receive maximum (§4.9). A client that breaks the rules releases before the answer to its
    /// repeat has left; that makes no room in the window, which holds this answer still.
    /// </summary>
    public long Unreleased(AckWindow acks) => Math.Max(0, acks.ReceiptsWritten - _receiptsReleased);

    /// <summary>
    /// What has to outlive the connection: the open exchanges that are durable, and the number up to which none is
    /// still on its way. Under the lock of <see cref="AckWindow.MarkDurable"/>.
    /// </summary>
    public (long Settled, List<(ushort PacketId, long Exchange)> Open) Snapshot(AckWindow? acks)
    {
        var settled = Last;
        var open = new List<(ushort, long)>(_open.Count);
        foreach (var (packetId, entry) in _open)
        {
            if (IsDurable(entry, acks)) open.Add((packetId, entry.Exchange));
            else settled = Math.Min(settled, entry.Exchange - 1);
        }

        return (settled, open);
    }

    /// <summary>Whether an open exchange is not durable yet. Under the same lock.</summary>
    public bool IsAnyPending(AckWindow? acks, Func<int, bool> laneHasFailed)
    {
        foreach (var entry in _open.Values)
        {
            if (!IsDurable(entry, acks) && !laneHasFailed(entry.Lane)) return true;
        }

        return false;
    }

    private static bool IsDurable(Entry entry, AckWindow? acks) =>
        entry.Number == FromBefore || acks!.HasLeft(entry.Number) || acks.IsDurable(entry.Lane, entry.Number);

    private readonly record struct Entry(long Exchange, long Number, short Lane, int Receipts);
}
