namespace Millrace.Contracts;

/// <summary>
/// The headers of a record of the topic device-messages, as UTF-8: a message to a device, whose id is the record's key
/// and whose body is its value. Content type, message id, correlation id and application properties have the names that
/// they have in telemetry.
/// </summary>
public static class DeviceMessageHeaders
{
    /// <summary>The whole topic, below <c>devices/{its id}/</c>.</summary>
    public static ReadOnlySpan<byte> MqttTopic => TelemetryHeaders.MqttTopic;

    /// <summary>0, 1 or 2.</summary>
    public static ReadOnlySpan<byte> Qos => "qos"u8;

    /// <summary>After it the message need not be delivered any more: milliseconds since 1970 UTC, decimal.</summary>
    public static ReadOnlySpan<byte> ExpiresAt => "expires-at"u8;
}
