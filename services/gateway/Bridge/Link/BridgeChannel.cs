using System.Net;
using System.Security.Cryptography.X509Certificates;
using Millrace.Gateway.Bridge.Intake;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>
/// Stands between MQTTnet's client and its socket. Messages and releases of QoS 2 go to the intake, which answers them
/// when the log has them; the client sees the rest. While the intake has no room, the socket is read as far as the
/// backlog takes it.
/// </summary>
/// <param name="options">The client's.</param>
internal sealed class BridgeChannel(
    IMqttChannelAdapter inner, MqttClientOptions options, BridgeIntake intake, long backlogBytesMax)
    : IMqttChannelAdapter
{
    private readonly BridgeBacklog _backlog = new(intake, backlogBytesMax);

    public long BytesReceived => inner.BytesReceived;

    public long BytesSent => inner.BytesSent;

    public X509Certificate2 ClientCertificate => inner.ClientCertificate;

    public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => inner.LocalEndPoint;

    public bool IsSecureConnection => inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => inner.PacketFormatterAdapter;

    public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

    /// <summary>Null ends the connection.</summary>
    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        var hasPacket = false;
        try
        {
            while (await ReadAsync(cancellationToken).ConfigureAwait(false) is { } packet)
            {
                switch (packet)
                {
                    case MqttConnAckPacket answer:
                        Accept(answer);
                        break;
                    case MqttPublishPacket publish:
                        _backlog.Add(publish);
                        continue;
                    case MqttPubRelPacket release:
                        intake.Release(release.PacketIdentifier);
                        continue;
                }

                hasPacket = true;
                return packet;
            }

            return null!;
        }
        finally
        {
            if (!hasPacket) await _backlog.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The broker's keep-alive counts before the bridge's own (MQTT 5 §3.2.2.3.14). MQTTnet pings by its options alone,
    /// and looks at them after it has this packet. An answer that refuses says nothing of the session (§3.2.2.1.1).
    /// </summary>
    private void Accept(MqttConnAckPacket answer)
    {
        var isAccepted = answer is
        {
            ReasonCode: MqttConnectReasonCode.Success, ReturnCode: MqttConnectReturnCode.ConnectionAccepted,
        };
        if (!isAccepted) return;
        if (answer.ServerKeepAlive > 0) options.KeepAlivePeriod = TimeSpan.FromSeconds(answer.ServerKeepAlive);
        if (!answer.IsSessionPresent) intake.BeginSession(Guid.NewGuid().ToString("N"));
    }

    /// <summary>The next packet; meanwhile the backlog is worked off. Null: the connection has to end.</summary>
    private async Task<MqttPacket?> ReadAsync(CancellationToken ct)
    {
        Task<MqttPacket>? reading = null;
        while (_backlog.TryTake())
        {
            var taking = _backlog.Taking;
            if (reading is null && _backlog.IsFull)
            {
                await taking.WaitAsync(ct).ConfigureAwait(false);
                continue;
            }

            reading ??= inner.ReceivePacketAsync(ct);
            if (taking.IsCompleted || await Task.WhenAny(reading, taking).ConfigureAwait(false) == reading)
                return await reading.ConfigureAwait(false);
        }

        return null;
    }

    public void ResetStatistics() => inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) =>
        inner.SendPacketAsync(packet, cancellationToken);

    /// <summary>PUBACK or PUBREC.</summary>
    public Task AcknowledgeAsync(PendingAck ack, CancellationToken ct) => inner.SendPacketAsync(
        ack.IsQos2
            ? new MqttPubRecPacket { PacketIdentifier = ack.PacketId }
            : new MqttPubAckPacket { PacketIdentifier = ack.PacketId },
        ct);

    /// <summary>PUBCOMP.</summary>
    public Task CompleteAsync(ushort packetId, CancellationToken ct) =>
        inner.SendPacketAsync(new MqttPubCompPacket { PacketIdentifier = packetId }, ct);

    public void Dispose()
    {
        inner.Dispose();
        _backlog.Dispose();
    }
}
