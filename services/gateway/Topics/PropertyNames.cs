using Millrace.Contracts;

namespace Millrace.Gateway.Topics;

/// <summary>
/// Which header a property that a device sends becomes. Azure's names for system properties become the hub's headers;
/// everything else stays under the prefix of application properties, where it can forge nothing.
/// </summary>
internal static class PropertyNames
{
    /// <summary>The header, or empty for an application property.</summary>
    public static ReadOnlySpan<byte> SystemHeader(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name[0] is not ((byte)'$' or (byte)'i' or (byte)'t')) return default;
        if (name.SequenceEqual("$.mid"u8)) return TelemetryHeaders.MessageId;
        if (name.SequenceEqual("$.cid"u8)) return TelemetryHeaders.CorrelationId;
        if (name.SequenceEqual("$.uid"u8)) return TelemetryHeaders.UserId;
        if (name.SequenceEqual("$.ct"u8)) return TelemetryHeaders.ContentType;
        if (name.SequenceEqual("$.ce"u8)) return TelemetryHeaders.ContentEncoding;
        if (name.SequenceEqual("$.ctime"u8)) return TelemetryHeaders.CreationTime;
        if (name.SequenceEqual("iothub-creation-time-utc"u8)) return TelemetryHeaders.CreationTime;
        if (name.SequenceEqual("traceparent"u8)) return TelemetryHeaders.TraceParent;
        return name.SequenceEqual("tracestate"u8) ? TelemetryHeaders.TraceState : default;
    }
}
