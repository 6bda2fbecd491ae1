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
    public required uint SessionExpirySeconds { get; init; }

    /// <summary>The largest packet that the client takes.</summary>
    public required uint PacketBytesMax { get; init; }
    public WillMessage? Will { get; init; }

    internal static ConnectRequest From(ConnectPacket packet) => new()
    {
        Version = packet.Version,
        ClientId = Encoding.UTF8.GetString(packet.ClientId),
        UserName = packet.HasUserName ? Encoding.UTF8.GetString(packet.UserName) : null,
        Password = packet.HasPassword ? packet.Password.ToArray() : null,
        CleanStart = packet.CleanStart,
        KeepAliveSeconds = packet.KeepAliveSeconds,
        SessionExpirySeconds = packet.Properties.Number(PropertyId.SessionExpiryInterval, absent: 0),
        PacketBytesMax = packet.Properties.Number(PropertyId.MaximumPacketSize, absent: uint.MaxValue),
        Will = packet.HasWill ? WillMessage.From(packet) : null,
    };
}
