using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>MQTT over WebSocket (MQTT 5 §6), with MQTTnet, paho, and by hand.</summary>
public class WebSocketTests
{
    private TemporaryFolder _folder = null!;
    private Certificates _certificates = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _certificates = new Certificates(_folder.Path);
        _host = await GatewayHost.StartAsync(
            _certificates, ("Gateway:WebSocket:Enabled", "true"), ("Gateway:WebSocketTls:Enabled", "true"),
            ("Gateway:PacketBytesMax", "64KiB"));
        await _host.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Mqttnet_publishes_and_receives(
        [Values("/mqtt", "/$iothub/websocket")] string path, [Values] bool tls, [Values(0, 1, 2)] int qos)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ApplicationMessageReceivedAsync += message =>
        {
            received.TrySetResult(message.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await client.ConnectAsync(Options(path, tls));
        var level = (MqttQualityOfServiceLevel)qos;
        await client.SubscribeAsync("devices/pump-1/#", level);
        await client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic("telemetry")
            .WithPayload(new string('x', 50_000)).WithQualityOfServiceLevel(level).Build());
        await _host.SendAsync("pump-1", "go", qos: qos);

        Assert.That(await received.Task.WaitAsync(TimeSpan.FromSeconds(20)), Is.EqualTo("go"));
        Assert.That((await _host.TelemetryAsync(1))[0].Body, Has.Length.EqualTo(50_000));
        await client.DisconnectAsync();
        await Eventually.TrueAsync(() => _host.Meters["disconnects/client-disconnect"] == 1, "the good-bye arrives");
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 0, "and the connection ends");
    }

    [Test]
    public async Task Frames_cut_packets_anywhere_and_carry_many()
    {
        using var socket = await OpenAsync();
        var packets = new List<byte>(Connect());
        for (ushort id = 1; id <= 20; id++) packets.AddRange(Publish($"{id}", id));
        var random = new Random(7);
        for (var at = 0; at < packets.Count;)
        {
            var count = Math.Min(random.Next(1, 12), packets.Count - at);
            await SendAsync(socket, [.. packets.Skip(at).Take(count)], endOfMessage: random.Next(2) == 0);
            at += count;
        }

        await SendAsync(socket, [0xC0, 0]);
        var records = await _host.TelemetryAsync(20);
        Assert.That(records.Select(r => r.Body), Is.EqualTo(Enumerable.Range(1, 20).Select(i => $"{i}")));
    }

    [Test]
    public async Task Text_is_refused()
    {
        using var socket = await OpenAsync();
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);

        Assert.That(await ReadCloseAsync(socket), Is.EqualTo(WebSocketCloseStatus.InvalidMessageType));
        Assert.That(_host.Meters["malformed/websocket-text"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_packet_above_the_maximum_is_refused_as_on_tcp()
    {
        using var socket = await OpenAsync();
        await SendAsync(socket, Connect());
        await SendAsync(socket, [0x30, 0xFF, 0xFF, 0x7F]);

        await Eventually.TrueAsync(() => _host.Meters["malformed/too-large"] == 1, "refused");
        await ReadCloseAsync(socket);
    }

    [TestCase("/mqtt", "mqttv3.1", HttpStatusCode.BadRequest, "websocket-protocol")]
    [TestCase("/mqtt", null, HttpStatusCode.BadRequest, "websocket-protocol")]
    [TestCase("/", "mqtt", HttpStatusCode.NotFound, "websocket-path")]
    [TestCase("/api/v1/devices", "mqtt", HttpStatusCode.NotFound, "websocket-path")]
    public async Task Other_paths_and_protocols_are_refused(
        string path, string? protocol, HttpStatusCode status, string reason)
    {
        using var socket = new ClientWebSocket();
        if (protocol is not null) socket.Options.AddSubProtocol(protocol);
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThatAsync(
            () => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_host.WebSocketPort}{path}"), CancellationToken.None),
            Throws.InstanceOf<WebSocketException>());

        Assert.That(socket.HttpStatusCode, Is.EqualTo(status));
        Assert.That(_host.Meters["refusals/" + reason], Is.EqualTo(1));
    }

    [Test]
    public async Task A_plain_request_is_refused()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync($"http://127.0.0.1:{_host.WebSocketPort}/mqtt");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task The_protocol_mqtt_is_chosen_and_pings_of_the_websocket_are_answered()
    {
        using var socket = await OpenAsync(pings: true);
        Assert.That(socket.SubProtocol, Is.EqualTo("mqtt"));
        await SendAsync(socket, Connect());
        var read = ReadAsync(socket);
        Assert.That((await read)[0], Is.EqualTo(0x20));

        // The client gives up by itself when a ping has no pong for a while.
        await Task.WhenAny(ReadAsync(socket), Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System));
        Assert.That(socket.State, Is.EqualTo(WebSocketState.Open));
    }

    [Test]
    public async Task Paho_over_websocket([Values(0, 1, 2)] int qos)
    {
        var python = Tool.Find("/usr/bin/python3");
        if (python is null || (await python.RunAsync("-c", "import paho.mqtt")).ExitCode != 0)
            Assert.Ignore("paho is not installed (Debian: python3-paho-mqtt).");
        var (exit, output) = await python!.RunAsync("-c", $"""
            import paho.mqtt.publish as p
            p.single("telemetry", "hello", qos={qos}, hostname="127.0.0.1", port={_host.WebSocketPort},
                client_id="pump-1", auth=dict(username="pump-1", password="{GatewayHost.Key}"),
                transport="websockets")
            """);

        Assert.That(exit, Is.Zero, output);
        Assert.That((await _host.TelemetryAsync(1))[0].Body, Is.EqualTo("hello"));
    }

    private MqttClientOptions Options(string path, bool tls)
    {
        var port = tls ? _host.WebSocketTlsPort : _host.WebSocketPort;
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithWebSocketServer(o => o.WithUri($"{(tls ? "wss" : "ws")}://localhost:{port}{path}"))
            .WithClientId("pump-1").WithCredentials("pump-1", GatewayHost.Key);
        if (!tls) return builder.Build();
        var authority = X509CertificateLoader.LoadCertificateFromFile(_certificates.CaFile);
        return builder.WithTlsOptions(o => o.UseTls().WithTrustChain([authority])
            .WithCertificateValidationHandler(_ => true)).Build();
    }

    private async Task<ClientWebSocket> OpenAsync(bool pings = false)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        if (pings)
        {
            socket.Options.KeepAliveInterval = TimeSpan.FromMilliseconds(200);
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(1);
        }

        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_host.WebSocketPort}/mqtt"), CancellationToken.None);
        return socket;
    }

    internal static byte[] Connect() => Bytes(
        target => PacketWriter.Connect(target, GatewayHost.ConnectOf(MqttVersion.V5)));

    private static byte[] Publish(string body, ushort id) =>
        Bytes(target => PacketWriter.Publish(target, MqttVersion.V5, new PublishPacket
        {
            Qos = 1,
            PacketId = id,
            Topic = "telemetry"u8,
            Payload = Encoding.UTF8.GetBytes(body),
        }));

    private static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var target = new ArrayBufferWriter<byte>();
        write(target);
        return target.WrittenSpan.ToArray();
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] bytes, bool endOfMessage = true) =>
        socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage, CancellationToken.None);

    private static async Task<byte[]> ReadAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1_024];
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        var frame = await socket.ReceiveAsync(buffer, timeout.Token);
        return buffer[..frame.Count];
    }

    private static async Task<WebSocketCloseStatus?> ReadCloseAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1_024];
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        try
        {
            while ((await socket.ReceiveAsync(buffer, timeout.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (WebSocketException)
        {
            return null;
        }

        return socket.CloseStatus;
    }
}
