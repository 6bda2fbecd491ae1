using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Stores.Sessions;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Answers to a client to whom messages go all the time, so that one flush follows another.</summary>
public class FlushTests
{
    private static readonly OutboundMessage Message = new("devices/pump-1/a", 0, false, [], [], null, null, []);

    [Test]
    public async Task Every_release_is_completed()
    {
        const int Exchanges = 2_000;
        await using var host = await GatewayHost.StartAsync(("Gateway:Limits:Device:MessagesPerSecond", "0"));
        await host.AddDeviceAsync("pump-1");
        await using var client = new PipedClient(host);
        await client.LoginAsync();
        var connection = host.Connections.OfDevice("pump-1").Single();
        using var stop = new CancellationTokenSource();
        var flood = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) connection.TryDeliver(Message, out _);
        });

        for (ushort id = 1; id <= Exchanges; id++)
        {
            await client.PublishAsync(id);
            await client.ReadUntilAsync(PacketType.PubRec, count: id);
            await client.SendAsync([0x62, 2, (byte)(id >> 8), (byte)id]);
        }

        // The first may be answered before the last release is; the second comes behind all of them.
        for (var pings = 1; pings <= 2; pings++)
        {
            await client.SendAsync([0xC0, 0]);
            await client.ReadUntilAsync(PacketType.PingResp, pings);
        }

        await stop.CancelAsync();
        await flood;
        Assert.That(client.Count(PacketType.PubComp), Is.EqualTo(Exchanges));
    }

    /// <summary>A client on pipes: a flush ends when all of it was read, and not before.</summary>
    private sealed class PipedClient : IDuplexPipe, IAsyncDisposable
    {
        private readonly Pipe _toServer = new();
        private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        private readonly Dictionary<PacketType, int> _seen = [];
        private readonly Task _connection;

        public PipedClient(GatewayHost host) =>
            _connection = host.Handler.TryRun(this, certificate: null, End, IPAddress.Loopback, TimeSpan.Zero)!;

        PipeReader IDuplexPipe.Input => _toServer.Reader;

        PipeWriter IDuplexPipe.Output => _toClient.Writer;

        public int Count(PacketType type) => _seen.GetValueOrDefault(type);

        public async Task LoginAsync()
        {
            await WriteAsync(target => PacketWriter.Connect(target, GatewayHost.ConnectOf(MqttVersion.V5)));
            await ReadUntilAsync(PacketType.ConnAck, count: 1);
            await WriteAsync(target => PacketWriter.Subscribe(target, MqttVersion.V5, new SubscribePacket
            {
                PacketId = 1,
                Filters = [0, 16, .. "devices/pump-1/#"u8, 0],
            }));
            await ReadUntilAsync(PacketType.SubAck, count: 1);
        }

        public Task PublishAsync(ushort id) =>
            WriteAsync(target => PacketWriter.Publish(target, MqttVersion.V5, new PublishPacket
            {
                Qos = 2,
                PacketId = id,
                Topic = "telemetry"u8,
                Payload = "{}"u8,
            }));

        public async Task SendAsync(byte[] bytes) => await _toServer.Writer.WriteAsync(bytes);

        public async Task ReadUntilAsync(PacketType type, int count)
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
            while (Count(type) < count)
            {
                var read = await _toClient.Reader.ReadAsync(timeout.Token);
                Assert.That(read.IsCompleted, Is.False, "closed");
                Take(read.Buffer);
            }
        }

        public async ValueTask DisposeAsync()
        {
            End();
            await _connection;
        }

        private void Take(in ReadOnlySequence<byte> received)
        {
            using var cursor = new PacketCursor(received, packetBytesMax: 1 << 20);
            while (cursor.TryRead(out var header, out _, out _)) _seen[header.Type] = Count(header.Type) + 1;
            _toClient.Reader.AdvanceTo(cursor.Consumed, received.End);
        }

        private async Task WriteAsync(Action<IBufferWriter<byte>> write)
        {
            write(_toServer.Writer);
            await _toServer.Writer.FlushAsync();
        }

        private void End()
        {
            _toServer.Writer.Complete();
            _toClient.Reader.Complete();
        }
    }
}
