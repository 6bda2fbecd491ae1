using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Tests.Session;

namespace Millrace.Integration.Tests.Survival;

/// <summary>
/// A device with a session that is kept, which publishes and receives with QoS 2, connects again whenever it loses its
/// connection, to the next of the ports, and goes on where it was.
/// </summary>
internal sealed class ExactlyOnceClient(IReadOnlyList<int> ports, string device, string key)
{
    private const int Window = 8;

    // MQTT 3.1.1 §3.2.2.3: whoever is told so comes again.
    private const byte ServerUnavailable = 3;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(10);

    private readonly ModelClient _model = new(MqttVersion.V311, Window, "telemetry");
    private readonly Lock _gate = new();
    private int _attempts;
    private bool _hasSession;

    public int Connections { get; private set; }

    public bool IsSubscribed { get; private set; }

    public bool IsDone
    {
        get
        {
            lock (_gate) return _model.IsDone;
        }
    }

    public IReadOnlyList<string> Delivered
    {
        get
        {
            lock (_gate) return [.. _model.Delivered];
        }
    }

    /// <summary>Goes with the next packet that comes, if the window has room.</summary>
    public void Publish(string body)
    {
        lock (_gate) _model.Publish(2, body);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, ports[_attempts++ % ports.Count], stop);
                Connections++;
                await ConverseAsync(socket, stop);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // Killed, or silent for too long: it connects again.
            }

            lock (_gate) _model.Lose();
            await Task.WhenAny(Task.Delay(RetryPause, TimeProvider.System, stop));
        }
    }

    private async Task ConverseAsync(Socket socket, CancellationToken stop)
    {
        var received = new List<byte>();
        var buffer = new byte[4_096];
        await SendAsync(socket, Connect);
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(SilenceMax);
            var read = await socket.ReceiveAsync(buffer, patience.Token);
            if (read == 0) return;
            received.AddRange(buffer.AsSpan(0, read));
            while (PacketHeader.TryRead([.. received], out var header, out _) && header.TotalBytes <= received.Count)
            {
                byte[] body = [.. received.Skip(header.HeaderBytes).Take(header.BodyBytes)];
                received.RemoveRange(0, header.TotalBytes);
                await SendAsync(socket, target => Take(header, body, target));
            }
        }
    }

    private void Take(PacketHeader header, byte[] body, IBufferWriter<byte> target)
    {
        switch (header.Type)
        {
            case PacketType.ConnAck:
                if (body[1] == ServerUnavailable) throw new SocketException((int)SocketError.ConnectionReset);
                Assert.That(body[1], Is.Zero, "refused");
                Assert.That(body[0] == 1 || !_hasSession, "the session is gone");
                _hasSession = true;
                if (!IsSubscribed) Subscribe(target);
                _model.Resume(target);
                break;
            case PacketType.SubAck: IsSubscribed = true; break;
            default: _model.Take(header, body, target); break;
        }
    }

    private void Connect(IBufferWriter<byte> target) => PacketWriter.Connect(target, new ConnectPacket
    {
        Version = MqttVersion.V311,
        ClientId = Encoding.UTF8.GetBytes(device),
        HasUserName = true,
        UserName = Encoding.UTF8.GetBytes(device),
        HasPassword = true,
        Password = Encoding.UTF8.GetBytes(key),
    });

    private void Subscribe(IBufferWriter<byte> target)
    {
        var filter = Encoding.UTF8.GetBytes($"devices/{device}/#");
        PacketWriter.Subscribe(target, MqttVersion.V311, new SubscribePacket
        {
            PacketId = 60_000,
            Filters = [0, (byte)filter.Length, .. filter, 2],
        });
    }

    private async Task SendAsync(Socket socket, Action<IBufferWriter<byte>> write)
    {
        var target = new ArrayBufferWriter<byte>();
        lock (_gate) write(target);
        if (target.WrittenCount > 0) await socket.SendAsync(target.WrittenMemory);
    }
}
