using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>
/// A client by the book (MQTT 5 §4.3, §4.4): sends what it has under the receive maximum, sends again on each new
/// connection what is open, and keeps the packet identifiers of QoS 2 messages until they are released.
/// </summary>
internal sealed class ModelClient(MqttVersion version, int receiveMaximum, string topic = "t")
{
    private readonly List<Sending> _open = [];
    private readonly HashSet<ushort> _unreleased = [];
    private readonly Queue<(int Qos, string Body)> _unsent = new();
    private int _inFlight;

    /// <summary>What a user of this client sees.</summary>
    public List<string> Delivered { get; } = [];

    public bool IsDone => _open.Count == 0 && _unsent.Count == 0;

    public void Publish(int qos, string body) => _unsent.Enqueue((qos, body));

    public void Connect(IBufferWriter<byte> wire) =>
        PacketWriter.Connect(wire, new ConnectPacket { Version = version, ClientId = "c"u8 });

    /// <summary>The connection is gone, and with it what counted against its quota.</summary>
    public void Lose()
    {
        _inFlight = 0;
        _open.ForEach(each => each.Counts = false);
    }

    /// <summary>CONNACK has come: everything that is open goes again, in its order.</summary>
    public void Resume(IBufferWriter<byte> wire)
    {
        foreach (var each in _open)
        {
            if (each.IsReceived) Answer(wire, PacketType.PubRel, each.PacketId);
            else Send(wire, each, again: true);
        }

        SendMore(wire);
    }

    public void SendMore(IBufferWriter<byte> wire)
    {
        while (_inFlight < receiveMaximum && _unsent.TryDequeue(out var message))
        {
            // The lowest that is free: packet identifiers recur as soon as they may.
            ushort id = 1;
            while (_open.Exists(each => each.PacketId == id)) id++;
            var sending = new Sending(id, message.Qos, message.Body);
            _open.Add(sending);
            Send(wire, sending, again: false);
        }
    }

    public void Take(PacketHeader header, ReadOnlySpan<byte> body, IBufferWriter<byte> wire)
    {
        if (header.Type == PacketType.Publish) TakePublish(header, body, wire);
        else TakeAnswer(header.Type, body, wire);
        SendMore(wire);
    }

    private void TakePublish(PacketHeader header, ReadOnlySpan<byte> body, IBufferWriter<byte> wire)
    {
        var defect = PublishPacket.TryRead(header.Flags, body, version, out var publish);
        Assert.That(defect, Is.EqualTo(PacketDefect.None));
        var message = Encoding.UTF8.GetString(publish.Payload);
        Assert.That(publish.Duplicate || !Delivered.Contains(message), "sent again without DUP (§3.3.1.1)");
        if (publish.Qos < 2 || _unreleased.Add(publish.PacketId)) Delivered.Add(message);
        if (publish.Qos > 0) Answer(wire, publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, publish.PacketId);
    }

    private void TakeAnswer(PacketType type, ReadOnlySpan<byte> body, IBufferWriter<byte> wire)
    {
        var defect = ReasonPacket.TryRead(type, body, version, out var packet);
        Assert.That(defect, Is.EqualTo(PacketDefect.None));
        var id = packet.PacketId;
        var index = _open.FindIndex(each => each.PacketId == id);
        switch (type)
        {
            case PacketType.PubRel:
                _unreleased.Remove(packet.PacketId);
                Answer(wire, PacketType.PubComp, packet.PacketId);
                break;
            case PacketType.PubRec:
                _open[index].IsReceived = true;
                Answer(wire, PacketType.PubRel, packet.PacketId);
                break;
            default:
                if (_open[index].Counts) _inFlight--;
                _open.RemoveAt(index);
                break;
        }
    }

    private void Send(IBufferWriter<byte> wire, Sending sending, bool again)
    {
        _inFlight++;
        sending.Counts = true;
        PacketWriter.Publish(wire, version, new PublishPacket
        {
            Duplicate = again,
            Qos = sending.Qos,
            PacketId = sending.PacketId,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(sending.Body),
        });
    }

    private void Answer(IBufferWriter<byte> wire, PacketType type, ushort packetId) =>
        PacketWriter.Reason(wire, version, new ReasonPacket { Type = type, PacketId = packetId });

    private sealed class Sending(ushort packetId, int qos, string body)
    {
        public ushort PacketId { get; } = packetId;

        public int Qos { get; } = qos;

        public string Body { get; } = body;

        public bool IsReceived { get; set; }

        public bool Counts { get; set; }
    }
}
