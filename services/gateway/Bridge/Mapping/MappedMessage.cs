namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>What a message from a broker means.</summary>
/// <param name="Topic">The topic in UTF-8.</param>
/// <param name="ModuleId">Null: none.</param>
/// <param name="ContentType">Null: what the message itself says.</param>
internal sealed record MappedMessage(
    byte[] Topic, byte[] DeviceId, byte[]? ModuleId, byte[]? ContentType, (byte[] Name, byte[] Value)[] Properties,
    ReadOnlyMemory<byte> Body);

/// <summary>Why a message from a broker is no telemetry.</summary>
internal enum MappingFailure
{
    None = 0,

    /// <summary>No subscription of the configuration fits the topic: the broker remembers an old one.</summary>
    TopicUnknown,

    /// <summary>A template asks for a field that the body does not have, or the body is not JSON.</summary>
    FieldMissing,

    /// <summary>What came out is no device id.</summary>
    DeviceIdInvalid,

    /// <summary>What came out is longer than a module id may be.</summary>
    ModuleIdInvalid,

    /// <summary>More properties than Gateway:PropertiesMax, or one whose name is too long.</summary>
    TooManyProperties,

    /// <summary>The packet is larger than the bridge's PacketBytesMax.</summary>
    TooLarge,
}
