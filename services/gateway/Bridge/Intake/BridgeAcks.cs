namespace Millrace.Gateway.Bridge.Intake;

/// <summary>
/// The messages of one connection that have not been acknowledged, in the order in which they came, which is the order
/// of the acknowledgements (MQTT 5 §4.6). Guarded by the intake's lock.
/// </summary>
internal sealed class BridgeAcks
{
    private readonly Queue<PendingAck> _pending = new();

    public int Count => _pending.Count;

    public void Add(PendingAck ack) => _pending.Enqueue(ack);

    /// <summary>The oldest message's acknowledgement, when its record is durable.</summary>
    public bool TryTake(out PendingAck ack)
    {
        if (!_pending.TryPeek(out ack) || ack.Number > ack.Lane.Durable) return false;
        _pending.Dequeue();
        return true;
    }

    public void Clear() => _pending.Clear();
}

/// <param name="Number">The message's number in its lane.</param>
internal readonly record struct PendingAck(ushort PacketId, bool IsQos2, BridgeLane Lane, long Number);
