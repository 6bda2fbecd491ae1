namespace Millrace.Mqtt.Session;

/// <summary>What came of a client's acknowledgement.</summary>
public enum AcknowledgeOutcome : byte
{
    /// <summary>Nothing is in flight under this packet identifier.</summary>
    Unknown,

    /// <summary>The message is delivered, or refused by the client: it is done with.</summary>
    Done,

    /// <summary>PUBREC: PUBREL is to follow.</summary>
    Received,

    /// <summary>Not the answer that the message's QoS asks for: a protocol error.</summary>
    Mismatch,
}

/// <summary>
/// The QoS 1 and 2 messages to a client that it has not acknowledged (MQTT 5 §4.3, §4.9). A message's packet identifier
/// follows from its number in the session, so that it is the same when the message is sent again on another connection.
/// Not safe for two threads at once.
/// </summary>
/// <param name="max">The client's receive maximum, or what the server keeps to.</param>
public sealed class OutboundWindow(int max)
{
    private readonly Dictionary<ushort, Entry> _open = [];
    private int _sent;

    /// <summary>The highest number that was sent; 0 when none was.</summary>
    public long LastSent { get; private set; }

    /// <summary>Sent and not yet done with, releases that go on from an earlier connection included.</summary>
    public int Count => _open.Count;

    public static ushort PacketIdOf(long sequence) => (ushort)((sequence - 1) % ushort.MaxValue + 1);

    /// <summary>Whether the client takes one more, and the packet identifier is free.</summary>
    public bool MaySend(long sequence) => _sent < max && !_open.ContainsKey(PacketIdOf(sequence));

    /// <summary>The message is being sent.</summary>
    /// <param name="qos">1 or 2.</param>
    public ushort Send(long sequence, int qos)
    {
        var packetId = PacketIdOf(sequence);
        _open.Add(packetId, new Entry(sequence, qos == 1 ? State.Qos1 : State.Qos2, Counts: true));
        _sent++;
        LastSent = Math.Max(LastSent, sequence);
        return packetId;
    }

    /// <summary>
    /// The client had it before this connection (PUBREC); its release is sent again, which no quota holds back (§4.9).
    /// </summary>
    public ushort Resume(long sequence)
    {
        var packetId = PacketIdOf(sequence);
        _open[packetId] = new Entry(sequence, State.Received, Counts: false);
        LastSent = Math.Max(LastSent, sequence);
        return packetId;
    }

    /// <param name="type">PUBACK, PUBREC or PUBCOMP.</param>
    public AcknowledgeOutcome Acknowledge(PacketType type, ushort packetId, ReasonCode reason, out long sequence)
    {
        sequence = 0;
        if (!_open.TryGetValue(packetId, out var entry)) return AcknowledgeOutcome.Unknown;
        sequence = entry.Sequence;
        switch (type, entry.State)
        {
            case (PacketType.PubAck, State.Qos1):
            case (PacketType.PubComp, State.Received):
            case (PacketType.PubRec, State.Qos2 or State.Received) when reason.IsFailure():
                _open.Remove(packetId);
                if (entry.Counts) _sent--;
                return AcknowledgeOutcome.Done;
            case (PacketType.PubRec, State.Qos2):
                _open[packetId] = entry with { State = State.Received };
                return AcknowledgeOutcome.Received;
            case (PacketType.PubRec, State.Received): return AcknowledgeOutcome.Received;
            default: return AcknowledgeOutcome.Mismatch;
        }
    }

    private enum State : byte
    {
        Qos1,
        Qos2,
        Received,
    }

    private readonly record struct Entry(long Sequence, State State, bool Counts);
}
