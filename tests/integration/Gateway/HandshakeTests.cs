using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Sockets that come to the TLS port and do not become connections.</summary>
[TestFixture(0)]
[TestFixture(2)]
public class HandshakeTests(int eventLoops)
{
    private TemporaryFolder _folder = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        GatewayHost.EventLoops = eventLoops;
        _folder = new TemporaryFolder();
        _host = await GatewayHost.StartAsync(
            new Certificates(_folder.Path), ("Gateway:Limits:HandshakesMax", "1"),
            ("Gateway:Mqtts:HandshakeTimeout", "00:00:05"), ("Gateway:ConnectionsMax", "20"));
        await _host.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task What_is_not_tls_is_closed_at_once_and_counted()
    {
        using var socket = await OpenAsync();
        await socket.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        await BareSocket.EndAsync(socket);
        await Eventually.TrueAsync(() => _host.Meters["refusals/handshake-failed"] == 1, "counted");
    }

    [Test]
    public async Task Silent_and_stalled_sockets_keep_nobody_out_and_end()
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < 5; i++) sockets.Add(await OpenAsync());
        for (var i = 0; i < 5; i++) await sockets[i].SendAsync(new byte[] { 22, 3, 1 });
        var stalled = await OpenAsync();
        sockets.Add(stalled);
        await stalled.SendAsync(await ClientHelloAsync());

        await LoginOverTlsAsync();
        foreach (var socket in sockets) await BareSocket.EndAsync(socket);
        await Eventually.TrueAsync(() => _host.Meters["refusals/handshake-timeout"] == 5, "counted");
        await Eventually.TrueAsync(() => _host.Meters["refusals/handshake-failed"] == 1, "counted");
    }

    [Test]
    public async Task Sockets_before_their_handshake_count_as_connections()
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < 21; i++) sockets.Add(await OpenAsync());
        await Eventually.TrueAsync(() => _host.Meters["refusals/connections-max"] == 1, "the last is closed");
        foreach (var socket in sockets) socket.Dispose();
        await Eventually.TrueAsync(() => _host.Meters["refusals/handshake-failed"] == 20, "the others are gone");

        await LoginOverTlsAsync();
    }

    [Test]
    public async Task Beyond_the_hubs_connect_rate_a_socket_is_closed_before_it_costs_a_handshake()
    {
        await using var host = await GatewayHost.StartAsync(
            new Certificates(_folder.Path), ("Gateway:Limits:Hub:ConnectsPerSecond", "1"),
            ("Gateway:Limits:ConnectWaitMax", "00:00:00"));
        var sockets = new List<Socket>();
        for (var i = 0; i < 10; i++) sockets.Add(await BareSocket.OpenAsync(host.TlsPort));

        await Eventually.TrueAsync(() => host.Meters["refusals/connect-rate"] > 0, "closed, although nobody has spoken",
            TimeSpan.FromSeconds(5));
        foreach (var socket in sockets) socket.Dispose();
    }

    [Test]
    public async Task A_silent_socket_ends_at_the_time_of_its_own_listener()
    {
        await using var host = await GatewayHost.StartAsync(
            new Certificates(_folder.Path), ("Gateway:Mqtts:HandshakeTimeout", "01:00:00"),
            ("Gateway:WebSocketTls:Enabled", "true"), ("Gateway:WebSocketTls:HandshakeTimeout", "00:00:01"));
        using var socket = await BareSocket.OpenAsync(host.WebSocketTlsPort);

        await Eventually.TrueAsync(() => host.Meters["refusals/handshake-timeout"] == 1, "closed");
    }

    private async Task LoginOverTlsAsync()
    {
        var socket = await OpenAsync();
        using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls13 });
        var connect = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(connect, GatewayHost.ConnectOf(MqttVersion.V311));
        await tls.WriteAsync(connect.WrittenMemory);
        var answer = new byte[4];
        await tls.ReadExactlyAsync(answer);
        Assert.That(answer, Is.EqualTo(new byte[] { 0x20, 2, 0, 0 }));
    }

    /// <summary>The first bytes of a real client.</summary>
    private static async Task<byte[]> ClientHelloAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        using var accepted = await listener.AcceptAsync();
        using var tls = new SslStream(new NetworkStream(client, ownsSocket: true), false, (_, _, _, _) => true);
        var handshake = tls.AuthenticateAsClientAsync("localhost");
        var hello = new byte[4_096];
        var read = await accepted.ReceiveAsync(hello);
        accepted.Dispose();
        await Assert.ThatAsync(() => handshake, Throws.Exception);
        return hello[..read];
    }

    private Task<Socket> OpenAsync() => BareSocket.OpenAsync(_host.TlsPort);
}
