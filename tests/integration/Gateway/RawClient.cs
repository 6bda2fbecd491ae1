using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A client that does as the test says, and nothing by itself.</summary>
internal sealed class RawClient(Socket socket, Stream stream, MqttVersion version) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly List<byte> _received = [];

    public static async Task<RawClient> OpenAsync(
        GatewayHost host, MqttVersion version = MqttVersion.V5, int receiveBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes > 0) socket.ReceiveBufferSize = receiveBytes;
        await socket.ConnectAsync(IPAddress.Loopback, GatewayHost.IsRawTls ? host.TlsPort : host.Port);
        Stream stream = new NetworkStream(socket);
        if (GatewayHost.IsRawTls)
        {
            var tls = new SslStream(stream, false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync("localhost");
            stream = tls;
        }

        return new RawClient(socket, stream, version);
    }

    /// <summary>Connects as a device with its key, and expects to be let in.</summary>
    public static async Task<RawClient> LoginAsync(
        GatewayHost host, string device, MqttVersion version = MqttVersion.V5, string? clientId = null,
        int keepAlive = 0, string? will = null, string? password = null, SessionAsk? ask = null)
    {
        var client = await OpenAsync(host, version);
        await client.ConnectAsync(device, password ?? GatewayHost.Key, clientId, keepAlive, will, ask);
        var answer = await client.ReadAsync();
        Assert.That(answer, Is.Not.Empty, "closed");
        Assert.That(answer[0], Is.EqualTo(0x20));
        Assert.That(answer[3], Is.Zero, $"CONNACK {Convert.ToHexString(answer)}");
        client.IsPresent = answer[2] == 1;
        return client;
    }

    /// <summary>Whether CONNACK said that a session goes on.</summary>
    public bool IsPresent { get; private set; }

    public Task ConnectAsync(
        string? user, string? password, string? clientId = null, int keepAlive = 0, string? will = null,
        SessionAsk? ask = null) =>
        SendAsync(target => PacketWriter.Connect(target, new ConnectPacket
        {
            Version = version,
            CleanStart = ask?.Clean ?? true,
            Properties = new PropertySet(version == MqttVersion.V5 ? ask?.Properties() : null),
            WillProperties = new PropertySet(version == MqttVersion.V5 ? ask?.WillProperties() : null),
            ClientId = Encoding.UTF8.GetBytes(clientId ?? user ?? ""),
            KeepAliveSeconds = (ushort)keepAlive,
            HasUserName = user is not null,
            UserName = Encoding.UTF8.GetBytes(user ?? ""),
            HasPassword = password is not null,
            Password = Encoding.UTF8.GetBytes(password ?? ""),
            HasWill = will is not null,
            WillTopic = Encoding.UTF8.GetBytes(will ?? ""),
            WillPayload = "the will"u8,
        }));

    public Task PublishAsync(string topic, string body, ushort packetId = 0, byte[]? properties = null) =>
        SendAsync(target => Publish(target, topic, body, packetId, properties));

    /// <summary>A QoS 2 publish to the telemetry topic.</summary>
    public Task PublishTwiceSafeAsync(string body, ushort packetId, bool again = false) =>
        SendAsync(target => Publish(target, "telemetry", body, packetId, qos: 2, again: again));

    public Task AnswerAsync(PacketType type, int packetId, ReasonCode reason = ReasonCode.Success) =>
        SendAsync(target => PacketWriter.Reason(
            target, version, new ReasonPacket { Type = type, PacketId = (ushort)packetId, Reason = reason }));

    /// <summary>The packet identifier and reason of the next packet, which is of this type.</summary>
    public async Task<(int PacketId, ReasonCode Reason)> ExpectAsync(PacketType type)
    {
        var packet = await ReadAsync();
        Assert.That(packet, Is.Not.Empty, "closed");
        Assert.That((PacketType)(packet[0] >> 4), Is.EqualTo(type), Convert.ToHexString(packet));
        return (BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2)),
            packet.Length > 4 ? (ReasonCode)packet[4] : ReasonCode.Success);
    }

    /// <summary>The next packet, which is a message.</summary>
    public async Task<Received> ReadMessageAsync()
    {
        var packet = await ReadAsync();
        Assert.That(packet, Is.Not.Empty, "closed");
        return MessageOf(packet);
    }

    public Received MessageOf(byte[] packet)
    {
        Assert.That(PacketHeader.TryRead(packet, out var header, out _));
        Assert.That(header.Type, Is.EqualTo(PacketType.Publish), Convert.ToHexString(packet));
        var defect = PublishPacket.TryRead(header.Flags, packet.AsSpan(header.HeaderBytes), version, out var publish);
        Assert.That(defect, Is.EqualTo(PacketDefect.None));
        return new Received(Encoding.UTF8.GetString(publish.Topic), Encoding.UTF8.GetString(publish.Payload),
            publish.Qos, publish.PacketId, publish.Duplicate, publish.Properties.Bytes.ToArray(), publish.Retain);
    }

    public void Publish(
        IBufferWriter<byte> target, string topic, string body, ushort packetId = 0, byte[]? properties = null,
        int qos = 1, bool again = false, bool retain = false) =>
        PacketWriter.Publish(target, version, new PublishPacket
        {
            Duplicate = again,
            Retain = retain,
            Qos = packetId == 0 ? 0 : qos,
            PacketId = packetId,
            Topic = Encoding.UTF8.GetBytes(topic),
            Properties = new PropertySet(properties ?? []),
            Payload = Encoding.UTF8.GetBytes(body),
        });

    public Task SubscribeAsync(string filter, byte options, byte[]? properties = null) =>
        SendAsync(target => PacketWriter.Subscribe(target, version, new SubscribePacket
        {
            PacketId = 77,
            Properties = new PropertySet(properties),
            Filters = [0, (byte)filter.Length, .. Encoding.UTF8.GetBytes(filter), options],
        }));

    public async Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        var target = new ArrayBufferWriter<byte>();
        write(target);
        await SendAsync(target.WrittenMemory.ToArray());
    }

    public async Task SendAsync(byte[] bytes) => await stream.WriteAsync(bytes);

    /// <summary>The next whole packet; empty when the server has closed.</summary>
    public async Task<byte[]> ReadAsync()
    {
        while (true)
        {
            if (PacketHeader.TryRead(_received.ToArray(), out var header, out _)
                && header.TotalBytes <= _received.Count)
            {
                var packet = _received.Take(header.TotalBytes).ToArray();
                _received.RemoveRange(0, header.TotalBytes);
                return packet;
            }

            if (!await ReceiveAsync()) return [];
        }
    }

    /// <summary>The packet identifier and reason of the next PUBACK.</summary>
    public async Task<(int PacketId, ReasonCode Reason)> ReadAckAsync()
    {
        var packet = await ReadAsync();
        Assert.That(packet, Is.Not.Empty, "closed");
        Assert.That(packet[0], Is.EqualTo(0x40), Convert.ToHexString(packet));
        var reason = packet.Length > 4 ? (ReasonCode)packet[4] : ReasonCode.Success;
        return (BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2)), reason);
    }

    /// <summary>The reason of the DISCONNECT that comes next (null in 3.1.1), after which the server closes.</summary>
    public async Task<ReasonCode?> ReadEndAsync()
    {
        ReasonCode? reason = null;
        for (var packet = await ReadAsync(); packet.Length > 0; packet = await ReadAsync())
        {
            if (packet[0] != 0xE0) continue;
            reason = (ReasonCode)packet[2];
            socket.Shutdown(SocketShutdown.Send);
        }

        return reason;
    }

    /// <summary>Everything the server says until it closes.</summary>
    public async Task<byte[]> ReadAllAsync()
    {
        socket.Shutdown(SocketShutdown.Send);
        while (await ReceiveAsync())
        {
        }

        return [.. _received];
    }

    /// <summary>Whether something comes within a while that is long for this machine.</summary>
    public async Task<bool> StaysSilentAsync()
    {
        if (_received.Count > 0) return false;
        var poll = Task.Run(() => socket.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectRead));
        return !await poll;
    }

    public Socket Socket => socket;

    public Stream Stream => stream;

    public void Dispose() => socket.Dispose();

    private async Task<bool> ReceiveAsync()
    {
        var buffer = new byte[16_384];
        using var timeout = new CancellationTokenSource(Patience, TimeProvider.System);
        int read;
        try
        {
            read = await stream.ReadAsync(buffer, timeout.Token);
        }
        catch (IOException)
        {
            return false;
        }

        _received.AddRange(buffer.AsSpan(0, read));
        return read > 0;
    }
}

/// <summary>A message as it came.</summary>
internal sealed record Received(
    string Topic, string Body, int Qos, ushort PacketId, bool IsAgain, byte[] PropertyBytes, bool IsRetained = false)
{
    public uint? Number(PropertyId id) =>
        new PropertySet(PropertyBytes).TryFind(id, out var property) ? property.Number : null;
}

/// <summary>What a client asks for in CONNECT.</summary>
internal sealed record SessionAsk(
    bool Clean = false, uint Expiry = 0, uint ReceiveMaximum = 0, uint PacketBytesMax = 0, uint AliasMax = 0,
    uint WillDelay = 0)
{
    public byte[] Properties()
    {
        var writer = new PropertyWriter(new byte[32]);
        if (Expiry > 0) writer.Number(PropertyId.SessionExpiryInterval, Expiry);
        if (ReceiveMaximum > 0) writer.Number(PropertyId.ReceiveMaximum, ReceiveMaximum);
        if (PacketBytesMax > 0) writer.Number(PropertyId.MaximumPacketSize, PacketBytesMax);
        if (AliasMax > 0) writer.Number(PropertyId.TopicAliasMaximum, AliasMax);
        return writer.Written.ToArray();
    }

    public byte[] WillProperties()
    {
        var writer = new PropertyWriter(new byte[8]);
        if (WillDelay > 0) writer.Number(PropertyId.WillDelayInterval, WillDelay);
        return writer.Written.ToArray();
    }
}
