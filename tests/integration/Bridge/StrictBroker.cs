using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>
/// A broker of MQTT 5 that grants and answers what the test says, keeps no session, and ends a connection that asks
/// more of it than it granted.
/// </summary>
internal sealed class StrictBroker : IAsyncDisposable
{
    private const int UnansweredMax = 1_024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, Task> _connections = new();
    private readonly ConcurrentQueue<(string Topic, string Body)> _published = new();
    private readonly Dictionary<PropertyId, uint> _grants;
    private readonly Task _accepting;
    private volatile TaskCompletionSource _gate = new();
    private long _accepted;
    private long _pings;
    private long _inFlightMost;

    /// <param name="grants">What CONNACK says.</param>
    public StrictBroker(params (PropertyId Id, uint Value)[] grants)
    {
        _grants = grants.ToDictionary(grant => grant.Id, grant => grant.Value);
        _gate.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The answer to a publish, by its topic and body.</summary>
    public Func<string, string, ReasonCode> Answer { get; set; } = (_, _) => ReasonCode.Success;

    /// <summary>All publishes, whatever was answered.</summary>
    public IReadOnlyCollection<(string Topic, string Body)> Published => _published;

    public long Connections => Interlocked.Read(ref _accepted);

    public long Pings => Interlocked.Read(ref _pings);

    /// <summary>The most publishes that waited for an answer at a time.</summary>
    public long InFlightMost => Interlocked.Read(ref _inFlightMost);

    /// <summary>Publishes are not answered until it is opened.</summary>
    public void Shut() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var connection in _connections.Keys) connection.End();
        Open();
        await Task.WhenAll(_connections.Values);
    }

    private uint Granted(PropertyId id, uint otherwise) => _grants.GetValueOrDefault(id, otherwise);

    private async Task AcceptAsync()
    {
        while (true)
        {
            var connection = new Connection(this, await _listener.AcceptSocketAsync());
            Interlocked.Increment(ref _accepted);
            _connections[connection] = Task.Run(connection.RunAsync);
        }
    }

    private sealed class Connection(StrictBroker broker, Socket socket)
    {
        private readonly Channel<(ushort PacketId, ReasonCode Reason)> _answers =
            Channel.CreateBounded<(ushort, ReasonCode)>(UnansweredMax);

        private readonly List<byte> _received = [];
        private long _inFlight;

        public void End() => socket.Dispose();

        public async Task RunAsync()
        {
            var answering = AnswerAsync();
            var buffer = new byte[16 << 10];
            try
            {
                while (await socket.ReceiveAsync(buffer) is > 0 and var count)
                {
                    _received.AddRange(buffer.AsSpan(0, count));
                    if (!TakeAll()) break;
                }
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // The client has gone.
            }

            End();
            _answers.Writer.Complete();
            await answering;
        }

        /// <summary>In the order of the publishes (§4.6).</summary>
        private async Task AnswerAsync()
        {
            await foreach (var (packetId, reason) in _answers.Reader.ReadAllAsync())
            {
                await broker._gate.Task;
                Interlocked.Decrement(ref _inFlight);
                Say(target => PacketWriter.Reason(target, MqttVersion.V5,
                    new ReasonPacket { Type = PacketType.PubAck, PacketId = packetId, Reason = reason }));
            }
        }

        private bool TakeAll()
        {
            while (PacketHeader.TryRead(_received.ToArray(), out var header, out _)
                && header.TotalBytes <= _received.Count)
            {
                var body = _received.Skip(header.HeaderBytes).Take(header.BodyBytes).ToArray();
                _received.RemoveRange(0, header.TotalBytes);
                if (Take(header, body) is not { } reason) continue;
                Say(target => PacketWriter.Reason(target, MqttVersion.V5,
                    new ReasonPacket { Type = PacketType.Disconnect, Reason = reason }));
                return false;
            }

            return true;
        }

        /// <summary>Why the connection ends, if it does.</summary>
        private ReasonCode? Take(PacketHeader header, byte[] body)
        {
            switch (header.Type)
            {
                case PacketType.Connect:
                    Say(target => PacketWriter.ConnAck(
                        target, MqttVersion.V5, new ConnAckPacket { Properties = new PropertySet(Grants()) }));
                    return null;
                case PacketType.Publish:
                    return TakePublish(header.Flags, body);
                case PacketType.Subscribe:
                    return TakeSubscribe(body);
                case PacketType.PingReq:
                    Interlocked.Increment(ref broker._pings);
                    Say(PacketWriter.PingResp);
                    return null;
                default:
                    return ReasonCode.Success;
            }
        }

        private ReasonCode? TakePublish(int flags, byte[] body)
        {
            if (PublishPacket.TryRead(flags, body, MqttVersion.V5, out var publish) != PacketDefect.None)
                return ReasonCode.MalformedPacket;
            if (publish.Qos > broker.Granted(PropertyId.MaximumQos, 2)) return ReasonCode.QosNotSupported;
            var (topic, text) = (Encoding.UTF8.GetString(publish.Topic), Encoding.UTF8.GetString(publish.Payload));
            broker._published.Enqueue((topic, text));
            if (publish.Qos == 0) return null;
            var inFlight = Interlocked.Increment(ref _inFlight);
            if (inFlight > broker.Granted(PropertyId.ReceiveMaximum, ushort.MaxValue))
                return ReasonCode.ReceiveMaximumExceeded;
            broker._inFlightMost = Math.Max(broker._inFlightMost, inFlight);
            return _answers.Writer.TryWrite((publish.PacketId, broker.Answer(topic, text)))
                ? null
                : ReasonCode.QuotaExceeded;
        }

        private ReasonCode? TakeSubscribe(byte[] body)
        {
            if (SubscribePacket.TryRead(body, MqttVersion.V5, out var subscribe) != PacketDefect.None)
                return ReasonCode.MalformedPacket;
            var codes = new List<byte>();
            foreach (var each in subscribe)
            {
                if (TopicFilter.IsShared(each.Filter)
                    && broker.Granted(PropertyId.SharedSubscriptionAvailable, 1) == 0)
                    return ReasonCode.SharedSubscriptionsNotSupported;
                if (each.Filter.IndexOfAny((byte)'+', (byte)'#') >= 0
                    && broker.Granted(PropertyId.WildcardSubscriptionAvailable, 1) == 0)
                    return ReasonCode.WildcardSubscriptionsNotSupported;
                codes.Add((byte)Math.Min((uint)each.Qos, broker.Granted(PropertyId.MaximumQos, 2)));
            }

            var packetId = subscribe.PacketId;
            Say(target => PacketWriter.SubAck(target, MqttVersion.V5, PacketType.SubAck,
                new SubAckPacket { PacketId = packetId, Codes = codes.ToArray() }));
            return null;
        }

        private byte[] Grants()
        {
            var writer = new PropertyWriter(new byte[64]);
            foreach (var (id, value) in broker._grants) writer.Number(id, value);
            return writer.Written.ToArray();
        }

        private void Say(Action<IBufferWriter<byte>> write)
        {
            var target = new ArrayBufferWriter<byte>();
            write(target);
            try
            {
                lock (_answers) socket.Send(target.WrittenSpan);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // The client has gone.
            }
        }
    }
}
