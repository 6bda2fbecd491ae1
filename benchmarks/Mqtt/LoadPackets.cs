using System.Buffers;
using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>The packets that the load generator sends, encoded once; only packet ids change.</summary>
internal sealed class LoadPackets
{
    public const string Key = "cHJpbWFyeS1rZXktb2YtdGhlLWRldmljZS0zMi1ieXRlcw==";
    public const int BodyBytes = 120;

    private readonly byte[] _packets;
    private readonly int _packetBytes;
    private readonly int _idOffset;
    private readonly int _qos;

    /// <param name="countMax">How many publishes may be asked for at once.</param>
    public LoadPackets(int qos, int countMax)
    {
        _qos = qos;
        var one = new ArrayBufferWriter<byte>();
        var topic = "telemetry"u8;
        PacketWriter.Publish(one, MqttVersion.V311, new PublishPacket
        {
            Qos = qos,
            PacketId = (ushort)(qos == 0 ? 0 : 1),
            Topic = topic,
            Payload = new byte[BodyBytes],
        });
        _packetBytes = one.WrittenCount;
        _idOffset = 1 + VarInt.Size(_packetBytes - 3) + 2 + topic.Length;
        _packets = [.. Enumerable.Repeat(one.WrittenMemory.ToArray(), countMax).SelectMany(bytes => bytes), 0xC0, 0];
    }

    /// <summary>
    /// Publishes with the next packet ids. With QoS 0 a PINGREQ follows, whose answer says that they were taken.
    /// </summary>
    public ReadOnlySpan<byte> Publishes(int count, ref ushort packetId)
    {
        if (_qos == 0) return _packets.AsSpan(^((count * _packetBytes) + 2)..);
        for (var i = 0; i < count; i++)
        {
            packetId = (ushort)(packetId == ushort.MaxValue ? 1 : packetId + 1);
            var at = (i * _packetBytes) + _idOffset;
            _packets[at] = (byte)(packetId >> 8);
            _packets[at + 1] = (byte)packetId;
        }

        return _packets.AsSpan(0, count * _packetBytes);
    }

    public static byte[] Connect(string device)
    {
        var packet = new ArrayBufferWriter<byte>();
        var name = Encoding.UTF8.GetBytes(device);
        PacketWriter.Connect(packet, new ConnectPacket
        {
            Version = MqttVersion.V311,
            CleanStart = true,
            ClientId = name,
            KeepAliveSeconds = 0,
            HasUserName = true,
            UserName = name,
            HasPassword = true,
            Password = Encoding.UTF8.GetBytes(Key),
        });
        return packet.WrittenSpan.ToArray();
    }
}
