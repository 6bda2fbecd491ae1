using System.Text;
using Millrace.Gateway.Publishing;
using Millrace.Stores.Bridges;
using MQTTnet.Packets;

namespace Millrace.Gateway.Bridge.Intake;

/// <summary>Messages with QoS 2: which of them are known, and what has to be remembered of them.</summary>
internal sealed partial class BridgeIntake
{
    private readonly BridgeExchanges _exchanges = new();
    private readonly AutoSignal _release = new();
    private readonly HashSet<ushort> _released = [];
    private byte[] _sessionHeader = [];
    private long[] _bounds = [];

    /// <summary>Called when the broker has released something, or when the state should be saved.</summary>
    public AutoSignal ReleaseSignal => _release;

    /// <summary>The log failed, and may have messages of which it did not say so.</summary>
    public bool IsInDoubt
    {
        get
        {
            lock (_gate) return _exchanges.Open.Any(each => each.IsInDoubt);
        }
    }

    private ReadOnlySpan<byte> SessionHeader => _sessionHeader;

    /// <summary>Only the one who brings messages asks, and only it moves the number.</summary>
    private long NextExchange => _exchanges.NextNumber;

    /// <summary>The state of a session that the broker may have kept.</summary>
    /// <param name="inLog">Messages of it that are durable and not released.</param>
    /// <param name="ends">What is taken from now on stands there or later, in each partition.</param>
    public void Restore(BridgeSession session, IEnumerable<(ushort PacketId, long Number)> inLog, long[] ends)
    {
        lock (_gate)
        {
            _bounds = ends;
            _sessionHeader = Encoding.UTF8.GetBytes(session.SessionId);
            _exchanges.Reset();
            _exchanges.ContinueFrom(session.NextExchange);
            foreach (var (packetId, number) in inLog) _exchanges.Restore(packetId, number, _lettersLane);
        }
    }

    /// <summary>The broker knows nothing of a session: whatever comes is new.</summary>
    public void BeginSession(string sessionId)
    {
        lock (_gate)
        {
            _sessionHeader = Encoding.UTF8.GetBytes(sessionId);
            _exchanges.Reset();
        }
    }

    /// <summary>The broker will not send this packet id again for the message that it stood for.</summary>
    public void Release(ushort packetId)
    {
        lock (_gate) _released.Add(packetId);
        _release.Call();
    }

    /// <summary>What to save, without what is released, and the packet ids to answer once it is saved.</summary>
    /// <param name="ends">The next offset of each partition, asked for just now: what is taken from now on stands there
    /// or later.</param>
    public (BridgeSession Session, ushort[] Released) Snapshot(long[] ends)
    {
        lock (_gate)
        {
            var offsets = (long[])ends.Clone();
            var open = new List<OpenExchange>();
            foreach (var each in _exchanges.Open)
            {
                if (_released.Contains(each.PacketId)) continue;
                open.Add(new OpenExchange(each.PacketId, each.Number, each.IsDurable));
                if (!each.IsDurable && each.Lane != _lettersLane)
                    offsets[each.Lane.Index] = Math.Min(offsets[each.Lane.Index], each.NotBefore);
            }

            _bounds = ends;
            var session = new BridgeSession(_options.Name, _options.ClientIdOrDefault,
                Encoding.UTF8.GetString(_sessionHeader), _exchanges.NextNumber, open, offsets);
            return (session, [.. _released]);
        }
    }

    /// <summary>The state without these is saved; their packet ids may be used for new messages.</summary>
    public void Forget(ushort[] released)
    {
        lock (_gate)
        {
            foreach (var packetId in released)
            {
                _exchanges.Remove(packetId);
                _released.Remove(packetId);
            }
        }
    }

    /// <summary>
    /// Whether this message was taken before; then it is only acknowledged. DUP says that the broker sends it again;
    /// without it the broker has forgotten the exchange, and the message is new.
    /// </summary>
    private bool IsKnown(MqttPublishPacket packet)
    {
        if (!packet.Dup || !IsQos2(packet)) return false;
        if (_exchanges.Find(packet.PacketIdentifier) is not { IsInDoubt: false } known) return false;
        _acks.Add(new PendingAck(packet.PacketIdentifier, true, known.Lane, known.LaneNumber));
        _state.Duplicate();
        _ready.Call();
        return true;
    }

    private void Open(ushort packetId, BridgeLane lane, long number)
    {
        var notBefore = lane.Index < _bounds.Length ? _bounds[lane.Index] : 0;
        _exchanges.Add(packetId, lane, number, notBefore);
    }
}
