using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Sockets that come to a WebSocket port and do not become WebSockets.</summary>
public class UpgradeTests
{
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync() =>
        _host = await StartAsync(("Gateway:ConnectTimeout", "00:00:02"), ("Gateway:ConnectionsMax", "3"));

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [TestCase("", TestName = "A socket that says nothing")]
    [TestCase("GET /mqtt HTTP/1.1\r\nHost: x\r\n", TestName = "A request that does not end")]
    [TestCase("GET / HTTP/1.1\r\nHost: x\r\n\r\n", TestName = "A request for something else")]
    public async Task It_has_no_more_time_than_one_over_tcp_has_for_its_connect(string sent)
    {
        using var socket = await OpenAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(sent));

        await BareSocket.EndAsync(socket);
        await Eventually.TrueAsync(() => _host.Meters["disconnects/connect-timeout"] == 1, "counted");
        Assert.That(_host.Meters["connections"], Is.Zero);
    }

    [Test]
    public async Task It_counts_as_a_connection_until_it_is_gone()
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < 3; i++) sockets.Add(await OpenAsync());
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 3, "all are counted");
        using var beyond = await OpenAsync();
        await BareSocket.EndAsync(beyond);
        Assert.That(_host.Meters["refusals/connections-max"], Is.EqualTo(1));

        foreach (var socket in sockets) socket.Dispose();
        await Eventually.TrueAsync(() => _host.Meters["disconnects/connection-lost"] == 3, "all are gone");
        Assert.That(_host.Meters["connections"], Is.Zero);
        using var client = await UpgradeAsync();
        Assert.That(_host.Meters["connections"], Is.EqualTo(1), "one place, before the upgrade and after it");
    }

    [Test]
    public async Task An_upgraded_one_is_the_connections_own_to_end()
    {
        using var client = await UpgradeAsync();
        await client.SendAsync(WebSocketTests.Connect(), WebSocketMessageType.Binary, true, CancellationToken.None);
        await client.ReceiveAsync(new byte[1_024], CancellationToken.None);
        using var later = await OpenAsync();
        await BareSocket.EndAsync(later);

        await client.SendAsync(new byte[] { 0xC0, 0 }, WebSocketMessageType.Binary, true, CancellationToken.None);
        var answer = new byte[2];
        await client.ReceiveAsync(answer, CancellationToken.None);
        Assert.That(answer, Is.EqualTo(new byte[] { 0xD0, 0 }), "its time would have passed before the other's");
    }

    [Test]
    public async Task Beyond_the_hubs_connect_rate_it_is_closed_before_it_has_spoken()
    {
        await using var host = await StartAsync(
            ("Gateway:Limits:Hub:ConnectsPerSecond", "1"), ("Gateway:Limits:ConnectWaitMax", "00:00:00"));
        var sockets = new List<Socket>();
        for (var i = 0; i < 10; i++) sockets.Add(await BareSocket.OpenAsync(host.WebSocketPort));

        await Eventually.TrueAsync(() => host.Meters["refusals/connect-rate"] > 0, "closed", TimeSpan.FromSeconds(5));
        foreach (var socket in sockets) socket.Dispose();
    }

    private static async Task<GatewayHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = await GatewayHost.StartAsync([("Gateway:WebSocket:Enabled", "true"), .. settings]);
        await host.AddDeviceAsync("pump-1");
        return host;
    }

    private async Task<ClientWebSocket> UpgradeAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_host.WebSocketPort}/mqtt"), CancellationToken.None);
        return socket;
    }

    private Task<Socket> OpenAsync() => BareSocket.OpenAsync(_host.WebSocketPort);
}
