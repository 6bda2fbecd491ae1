using System.Buffers.Text;

namespace Millrace.Contracts;

/// <summary>
/// The headers of a telemetry record, as UTF-8. What the hub stamps, a device cannot forge: an application property
/// always travels under <see cref="ApplicationPrefix"/>.
/// </summary>
public static class TelemetryHeaders
{
    public static ReadOnlySpan<byte> ContentType => "content-type"u8;
    public static ReadOnlySpan<byte> ContentEncoding => "content-encoding"u8;
    public static ReadOnlySpan<byte> MessageId => "message-id"u8;
    public static ReadOnlySpan<byte> CorrelationId => "correlation-id"u8;
    public static ReadOnlySpan<byte> UserId => "user-id"u8;

    /// <summary>When the device says it made the message: ISO 8601 text.</summary>
    public static ReadOnlySpan<byte> CreationTime => "creation-time"u8;
    public static ReadOnlySpan<byte> ModuleId => "module-id"u8;
    public static ReadOnlySpan<byte> AuthMethod => "auth-method"u8;
    public static ReadOnlySpan<byte> GenerationId => "generation-id"u8;
    public static ReadOnlySpan<byte> MqttTopic => "mqtt-topic"u8;

    /// <summary>Of a message that came with QoS 2: the session that it came in.</summary>
    public static ReadOnlySpan<byte> MqttSession => "mqtt-session"u8;

    /// <summary>Of a message that came with QoS 2: its number within the session, a colon, its packet id.</summary>
    public static ReadOnlySpan<byte> MqttExchange => "mqtt-exchange"u8;

    /// <summary>Of a bridged message that could not be mapped at first: the id of its dead letter.</summary>
    public static ReadOnlySpan<byte> DeadLetter => "dead-letter"u8;
    public static ReadOnlySpan<byte> TraceParent => "traceparent"u8;
    public static ReadOnlySpan<byte> TraceState => "tracestate"u8;

    /// <summary>Before the name of each application property; a repeated one: the last wins.</summary>
    public static ReadOnlySpan<byte> ApplicationPrefix => "app."u8;
}

/// <summary>Headers of records that a query writes to its output topics.</summary>
public static class OutputHeaders
{
    public static ReadOnlySpan<byte> RowId => "row-id"u8;
    public static ReadOnlySpan<byte> Epoch => "epoch"u8;

    /// <summary>Query name and version, "name/version": which epochs are compared with one another.</summary>
    public static ReadOnlySpan<byte> Query => "query"u8;

    /// <summary>The version in the header <see cref="Query"/>; 0 when it is of another query.</summary>
    public static int VersionOf(ReadOnlySpan<byte> header, ReadOnlySpan<byte> query)
    {
        if (header.Length <= query.Length || !header.StartsWith(query) || header[query.Length] != '/') return 0;
        var digits = header[(query.Length + 1)..];
        return Utf8Parser.TryParse(digits, out int version, out var used) && used == digits.Length ? version : 0;
    }

    /// <summary>The row's System.Timestamp(): milliseconds since 1970 UTC, decimal.</summary>
    public static ReadOnlySpan<byte> RowTime => "row-time"u8;

    /// <summary>Present (with an empty value) on a fence: a record that carries an epoch and no row.</summary>
    public static ReadOnlySpan<byte> Fence => "fence"u8;
}
