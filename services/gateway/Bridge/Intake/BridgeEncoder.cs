using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Sessions;
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
        if (!session.IsEmpty) AddExchange(records, session, exchange, packet.PacketIdentifier);
        AddSent(records, packet);
        AddMapped(records, message);
        records.End(message.Body.Span);
    }

    /// <summary>A message that cannot be mapped, as it came: all that a replay needs.</summary>
    public void EncodeUnmapped(
        RecordBatchBuilder records, long timestampMs, MqttPublishPacket packet, ReadOnlySpan<byte> body)
    {
        records.Begin(timestampMs, default, hasKey: false);
        records.AddHeader(TelemetryHeaders.AuthMethod, _authMethod);
        records.AddHeader(TelemetryHeaders.MqttTopic, Encoding.UTF8.GetBytes(packet.Topic));
        AddSent(records, packet);
        records.End(body);
    }

    /// <summary>The same message when it can be mapped, under the identity of its letter.</summary>
    public static void EncodeAgain(
        RecordBatchBuilder records, long timestampMs, DeadLetter letter, MappedMessage message)
    {
        records.Begin(timestampMs, message.DeviceId);
        records.AddHeader(TelemetryHeaders.DeadLetter, Encoding.UTF8.GetBytes(letter.Id));
        foreach (var header in letter.Headers) records.AddHeader(Encoding.UTF8.GetBytes(header.Name), header.Value);
        AddMapped(records, message);
        records.End(message.Body.Span);
    }

    private const int NameBytesMax = TelemetryEncoder.NameBytesMax;

    private static void AddMapped(RecordBatchBuilder records, MappedMessage message)
    {
        if (message.ModuleId is { } module) records.AddHeader(TelemetryHeaders.ModuleId, module);
        if (message.ContentType is { } contentType) records.AddHeader(TelemetryHeaders.ContentType, contentType);
        foreach (var (name, value) in message.Properties)
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, value);
    }

    private static void AddExchange(
        RecordBatchBuilder records, ReadOnlySpan<byte> session, long exchange, ushort packetId)
    {
        records.AddHeader(TelemetryHeaders.MqttSession, session);
        Span<byte> text = stackalloc byte[ExchangeHeader.BytesMax];
        var length = ExchangeHeader.Write(text, exchange, packetId);
        records.AddHeader(TelemetryHeaders.MqttExchange, text[..length]);
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
            if (name.Length > NameBytesMax) continue;
            var system = PropertyNames.SystemHeader(name);
            if (system.IsEmpty) records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, property.ValueBuffer.Span);
            else records.AddHeader(system, property.ValueBuffer.Span);
        }

        if (packet.Retain) records.AddHeader(TelemetryHeaders.ApplicationPrefix, Retain, "true"u8);
    }
}
