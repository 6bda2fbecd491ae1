using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Topics;
using MQTTnet.Packets;

namespace Millrace.Gateway.Bridge.Intake;

/// <summary>Writes a bridged message as a record of the telemetry topic.</summary>
internal sealed class BridgeEncoder(string bridge, int propertiesMax)
{
    private readonly byte[] _authMethod = Encoding.UTF8.GetBytes($"bridge:{bridge}");

    private static ReadOnlySpan<byte> Retain => "mqtt-retain"u8;

    private static ReadOnlySpan<byte> ResponseTopic => "mqtt-response-topic"u8;

    public bool HasTooMany(MqttPublishPacket packet, MappedMessage message)
    {
        var sent = packet.UserProperties;
        return (sent?.Count ?? 0) + message.Properties.Length > propertiesMax
            || (sent is not null && sent.Exists(each => Encoding.UTF8.GetByteCount(each.Name) > NameBytesMax));
    }

    /// <summary>Where a property is given twice the last wins: what a mapping says comes last.</summary>
    /// <param name="session">Empty for a message with QoS 0 or 1.</param>
    public void Encode(
        RecordBatchBuilder records, long timestampMs, MqttPublishPacket packet, MappedMessage message,
        ReadOnlySpan<byte> session, long exchange)
    {
        records.Begin(timestampMs, message.DeviceId);
        records.AddHeader(TelemetryHeaders.AuthMethod, _authMethod);
        records.AddHeader(TelemetryHeaders.MqttTopic, message.Topic);
        if (message.ModuleId is { } module) records.AddHeader(TelemetryHeaders.ModuleId, module);
        if (!session.IsEmpty) AddExchange(records, session, exchange, packet.PacketIdentifier);
        AddSent(records, packet);
        if (message.ContentType is { } contentType) records.AddHeader(TelemetryHeaders.ContentType, contentType);
        foreach (var (name, value) in message.Properties)
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, value);
        if (packet.Retain) records.AddHeader(TelemetryHeaders.ApplicationPrefix, Retain, "true"u8);
        records.End(message.Body.Span);
    }

    /// <summary>The number and the packet id of a header mqtt-exchange.</summary>
    public static bool TryReadExchange(ReadOnlySpan<byte> text, out long number, out ushort packetId)
    {
        packetId = 0;
        if (!Utf8Parser.TryParse(text, out number, out var used) || used >= text.Length || text[used] != ':')
            return false;
        return Utf8Parser.TryParse(text[(used + 1)..], out packetId, out var rest) && used + 1 + rest == text.Length;
    }

    private const int NameBytesMax = TelemetryEncoder.NameBytesMax;

    private static void AddExchange(
        RecordBatchBuilder records, ReadOnlySpan<byte> session, long exchange, ushort packetId)
    {
        records.AddHeader(TelemetryHeaders.MqttSession, session);
        Span<byte> text = stackalloc byte[32];
        Utf8Formatter.TryFormat(exchange, text, out var length);
        text[length++] = (byte)':';
        Utf8Formatter.TryFormat(packetId, text[length..], out var rest);
        records.AddHeader(TelemetryHeaders.MqttExchange, text[..(length + rest)]);
    }

    /// <summary>MQTT 5 properties mean what they mean when a device sends them.</summary>
    private static void AddSent(RecordBatchBuilder records, MqttPublishPacket packet)
    {
        if (packet.ContentType is { } contentType)
            records.AddHeader(TelemetryHeaders.ContentType, Encoding.UTF8.GetBytes(contentType));
        if (packet.CorrelationData is { } correlation)
            records.AddHeader(TelemetryHeaders.CorrelationId, correlation);
        if (packet.ResponseTopic is { } response)
        {
            records.AddHeader(
                TelemetryHeaders.ApplicationPrefix, ResponseTopic, Encoding.UTF8.GetBytes(response));
        }

        foreach (var property in packet.UserProperties ?? [])
        {
            var name = Encoding.UTF8.GetBytes(property.Name);
            var system = PropertyNames.SystemHeader(name);
            if (system.IsEmpty) records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, property.ValueBuffer.Span);
            else records.AddHeader(system, property.ValueBuffer.Span);
        }
    }
}
