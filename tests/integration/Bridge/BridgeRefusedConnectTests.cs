using System.Net;
using System.Net.Sockets;
using Millrace.Integration.Tests.Gateway;
using Millrace.Mqtt;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>A broker that keeps the bridge's session, and does not let it in for a while.</summary>
public class BridgeRefusedConnectTests
{
    private static readonly byte[] ConnectsV5 = [0x20, 3, 0, 0, 0];
    private static readonly byte[] IsBusyV5 = [0x20, 3, 0, 0x89, 0];
    private static readonly byte[] GoesOnV5 = [0x20, 3, 1, 0, 0];

    [TestCase(MqttVersion.V5)]
    [TestCase(MqttVersion.V311)]
    public async Task A_refused_connect_says_nothing_of_the_session(MqttVersion version)
    {
        using var broker = new TcpListener(IPAddress.Loopback, 0);
        broker.Start();
        var port = ((IPEndPoint)broker.LocalEndpoint).Port;
        await using var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(port, qos: 2, more: ("Version", $"{version}")));
        using (var first = await AcceptAsync(broker, version, ConnectsV5))
        {
            await GrantAsync(first, version);
            await PublishAsync(first, again: false);
        }

        (await AcceptAsync(broker, version, IsBusyV5)).Dispose();
        using var last = await AcceptAsync(broker, version, GoesOnV5);
        await GrantAsync(last, version);
        await PublishAsync(last, again: true);
        await last.AnswerAsync(PacketType.PubRel, 7);
        await last.ExpectAsync(PacketType.PubComp);

        await host.TelemetryAsync(1);
        Assert.That(host.Meters["bridge.duplicates/plant"], Is.EqualTo(1));
    }

    /// <summary>The broker's end of the next connection.</summary>
    private static async Task<RawClient> AcceptAsync(TcpListener broker, MqttVersion version, byte[] answer)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        var socket = await broker.AcceptSocketAsync(timeout.Token);
        var peer = new RawClient(socket, new NetworkStream(socket), version);
        Assert.That((await peer.ReadAsync())[0], Is.EqualTo(0x10));
        await peer.SendAsync(version == MqttVersion.V5
            ? answer
            : [0x20, 2, answer[2], (byte)(answer[3] == 0 ? 0 : 3)]);
        return peer;
    }

    private static async Task GrantAsync(RawClient peer, MqttVersion version)
    {
        var subscribe = await peer.ReadAsync();
        Assert.That(subscribe[0], Is.EqualTo(0x82));
        await peer.SendAsync(version == MqttVersion.V5
            ? [0x90, 4, subscribe[2], subscribe[3], 0, 2]
            : [0x90, 3, subscribe[2], subscribe[3], 2]);
    }

    private static async Task PublishAsync(RawClient peer, bool again)
    {
        await peer.SendAsync(target => peer.Publish(
            target, "plant/pump-1/data", "{}", packetId: 7, qos: 2, again: again));
        Assert.That((await peer.ExpectAsync(PacketType.PubRec)).PacketId, Is.EqualTo(7));
    }
}
