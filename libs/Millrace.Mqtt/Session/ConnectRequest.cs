using System.Text;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

/// <summary>
/// What a CONNECT asks for, copied out of the received bytes so that it can be authenticated in peace.
/// </summary>
public sealed record ConnectRequest
{
    public required MqttVersion Version { get; init; }
    public required string ClientId { get; init; }
    public string? UserName { get; init; }
    public byte[]? Password { get; init; }
    public required bool CleanStart { get; init; }

    /// <summary>0: the client does without.</summary>
    public required int KeepAliveSeconds { get; init; }

    /// <summary>
    /// How long the session outlives its connection; 0: not at all; <see cref="uint.MaxValue"/>: for ever, which
    /// is what a 3.1.1 client asks for without a clean session (§3.1.2.11.2).
    /// </summary>
    public required uint SessionExpirySeconds { get; init; }

    /// <summary>The largest packet that the client takes.</summary>
    public required uint PacketBytesMax { get; init; }

    /// <summary>QoS 1 and 2 publishes that the client takes before it has acknowledged them.</summary>
    public required int ReceiveMaximum { get; init; }

    /// <summary>The greatest topic alias that the client takes; 0 for none.</summary>
    public required int TopicAliasMax { get; init; }

    /// <summary>The client wants to know where responses are to be sent (§3.1.2.11.6).</summary>
    public required bool WantsResponseInformation { get; init; }

    /// <summary>The client wants reason strings, and not in CONNACK and DISCONNECT alone (§3.1.2.11.7).</summary>
    public required bool WantsProblemInformation { get; init; }
    public WillMessage? Will { get; init; }

    internal static ConnectRequest From(ConnectPacket packet) => new()
    {
        Version = packet.Version,
        ClientId = Encoding.UTF8.GetString(packet.ClientId),
        UserName = packet.HasUserName ? Encoding.UTF8.GetString(packet.UserName) : null,
        Password = packet.HasPassword ? packet.Password.ToArray() : null,
        CleanStart = packet.CleanStart,
        KeepAliveSeconds = packet.KeepAliveSeconds,
        SessionExpirySeconds = packet.Properties.Number(PropertyId.SessionExpiryInterval, ExpiryUnsaid(packet)),
        PacketBytesMax = packet.Properties.Number(PropertyId.MaximumPacketSize, absent: uint.MaxValue),
        ReceiveMaximum = (int)packet.Properties.Number(PropertyId.ReceiveMaximum, absent: ushort.MaxValue),
        TopicAliasMax = (int)packet.Properties.Number(PropertyId.TopicAliasMaximum, absent: 0),
        WantsResponseInformation = packet.Properties.Number(PropertyId.RequestResponseInformation, absent: 0) == 1,
        WantsProblemInformation = packet.Properties.Number(PropertyId.RequestProblemInformation, absent: 1) == 1,
        Will = packet.HasWill ? WillMessage.From(packet) : null,
    };

    private static uint ExpiryUnsaid(ConnectPacket packet) =>
        packet.Version == MqttVersion.V311 && !packet.CleanStart ? uint.MaxValue : 0;
}
