using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Millrace.Gateway.Sockets;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>A device of the fan-out: it publishes, or it counts what comes and acknowledges it.</summary>
internal sealed class SpaceClient : IDisposable
{
    private static readonly byte[] Received = new byte[64 << 10];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ArrayBufferWriter<byte> _acks = new();
    private byte[] _partial = [];

    public SpaceClient(int port, string device)
    {
        _socket.NoDelay = true;
        _socket.Connect(IPAddress.Loopback, port);
        Send(LoadPackets.Connect(device));
        while (!IsConnected) Take();
        _socket.Blocking = false;
    }

    public int Descriptor => (int)_socket.Handle;

    public bool IsConnected { get; private set; }

    public bool IsSubscribed { get; private set; }

    /// <summary>Messages that have come.</summary>
    public long Messages { get; private set; }

    /// <summary>Publishes that were acknowledged.</summary>
    public long Acknowledged { get; private set; }

    public void Subscribe(string topic, int qos)
    {
        var packet = new ArrayBufferWriter<byte>();
        var filter = System.Text.Encoding.UTF8.GetBytes(topic);
        PacketWriter.Subscribe(packet, MqttVersion.V311, new SubscribePacket
        {
            PacketId = 1,
            Filters = [0, (byte)filter.Length, .. filter, (byte)qos],
        });
        _socket.Blocking = true;
        Send(packet.WrittenSpan);
        while (!IsSubscribed) Take();
        _socket.Blocking = false;
    }

    /// <summary>Takes what has come.</summary>
    public void Take()
    {
        _partial.CopyTo(Received, 0);
        var got = Posix.Receive(Descriptor, Received.AsSpan(_partial.Length));
        if (got < 0 && Posix.Errno == Posix.TryAgain) return;
        if (got <= 0) throw new IOException("The server has closed a connection.");
        var bytes = (ReadOnlySpan<byte>)Received.AsSpan(0, _partial.Length + got);
        while (PacketHeader.TryRead(bytes, out var header, out _) && header.TotalBytes <= bytes.Length)
        {
            Take(bytes[0], bytes.Slice(header.HeaderBytes, header.BodyBytes));
            bytes = bytes[header.TotalBytes..];
        }

        _partial = bytes.ToArray();
        if (_acks.WrittenCount == 0) return;
        Send(_acks.WrittenSpan);
        _acks.ResetWrittenCount();
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = Posix.Send(Descriptor, bytes);
            if (sent < 0 && Posix.Errno != Posix.TryAgain) throw new IOException("The server has closed a connection.");
            if (sent > 0) bytes = bytes[sent..];
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Take(byte first, ReadOnlySpan<byte> body)
    {
        switch ((PacketType)(first >> 4))
        {
            case PacketType.ConnAck: IsConnected = body[1] == 0 ? true : throw new IOException("Refused."); break;
            case PacketType.SubAck: IsSubscribed = body[2] < 0x80 ? true : throw new IOException("Not granted."); break;
            case PacketType.PubAck: Acknowledged++; break;
            case PacketType.Publish:
                Messages++;
                if ((first & 6) == 0) break;
                var id = 2 + ((body[0] << 8) | body[1]);
                _acks.Write([0x40, 2, body[id], body[id + 1]]);
                break;
        }
    }
}
