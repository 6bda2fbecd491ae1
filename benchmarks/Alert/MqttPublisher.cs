using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Millrace.Benchmarks.Alert;

/// <summary>A device with as little of a client as there can be, so that the load generator costs little.</summary>
internal sealed class MqttPublisher : IDisposable
{
    private const string Topic = "telemetry";

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _packets = new byte[64 * 1024];
    private readonly byte[] _acks = new byte[64 * 1024];
    private ushort _packetId;

    public async Task ConnectAsync(int port, string device, string key)
    {
        await _socket.ConnectAsync("127.0.0.1", port);
        var body = new List<byte>([0, 4, .. "MQTT"u8, 4, 0b1100_0010, 0, 60]);
        foreach (var text in new[] { device, device, key })
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            body.AddRange([(byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8]);
        }

        await _socket.SendAsync((byte[])[0x10, (byte)body.Count, .. body]);
        var answer = new byte[4];
        await ReadAsync(answer);
        if (answer[3] != 0) throw new InvalidOperationException($"CONNACK {answer[3]}");
    }

    /// <summary>Sends the bodies with QoS 1 in one write, and waits for all of their acknowledgements.</summary>
    public async Task PublishAsync(IReadOnlyList<byte[]> bodies)
    {
        var length = 0;
        foreach (var body in bodies) length += Encode(_packets.AsSpan(length), body);
        await _socket.SendAsync(_packets.AsMemory(0, length));
        await ReadAsync(_acks.AsMemory(0, 4 * bodies.Count));
    }

    public void Dispose() => _socket.Dispose();

    private int Encode(Span<byte> target, byte[] body)
    {
        var rest = 2 + Topic.Length + 2 + body.Length;
        if (rest > 127) throw new ArgumentException("The body is too long for this publisher.", nameof(body));
        target[0] = 0x32;
        target[1] = (byte)rest;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)Topic.Length);
        Encoding.UTF8.GetBytes(Topic, target[4..]);
        _packetId = (ushort)(_packetId == ushort.MaxValue ? 1 : _packetId + 1);
        BinaryPrimitives.WriteUInt16BigEndian(target[(4 + Topic.Length)..], _packetId);
        body.CopyTo(target[(6 + Topic.Length)..]);
        return rest + 2;
    }

    private async Task ReadAsync(Memory<byte> target)
    {
        for (var got = 0; got < target.Length;)
        {
            var read = await _socket.ReceiveAsync(target[got..]);
            got += read > 0 ? read : throw new IOException("The gateway closed the connection.");
        }
    }
}
