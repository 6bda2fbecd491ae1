using System.Buffers;
using Millrace.Contracts;
using Millrace.Gateway.Sessions;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Gateway.Topics;

/// <summary>
/// Writes a publish as a record of the telemetry topic, straight into the batch that will be appended.
/// </summary>
internal static class TelemetryEncoder
{
    /// <summary>Far above any name in use; a header's name has 16 bits of length.</summary>
    public const int NameBytesMax = 1024;

    private const int StackBytes = 512;

    private static ReadOnlySpan<byte> Will => "mqtt-will"u8;

    private static ReadOnlySpan<byte> Retain => "mqtt-retain"u8;

    private static ReadOnlySpan<byte> ResponseTopic => "mqtt-response-topic"u8;

    private static ReadOnlySpan<byte> True => "true"u8;

    /// <summary>Adds one record, or none when the message is refused.</summary>
    public static PublishRefusal Encode(
        RecordBatchBuilder records, long timestampMs, in MessageTarget target, in PublishPacket publish,
        int propertiesMax, bool isWill = false, ExchangeStamp exchange = default)
    {
        var source = target.Source!;
        records.Begin(timestampMs, source.Key);
        AddStamps(records, target, source);
        var left = propertiesMax;
        var refusal = PublishRefusal.None;
        if (!target.PropertyBag.IsEmpty) refusal = AddBag(records, target.PropertyBag, ref left);
        if (refusal == PublishRefusal.None && !publish.Properties.IsEmpty)
            refusal = AddProperties(records, publish.Properties, ref left);
        if (refusal != PublishRefusal.None)
        {
            records.Abandon();
            return refusal;
        }

        if (publish.Retain) records.AddHeader(TelemetryHeaders.ApplicationPrefix, Retain, True);
        if (isWill) records.AddHeader(TelemetryHeaders.ApplicationPrefix, Will, True);
        if (!exchange.Session.IsEmpty) AddExchange(records, exchange);
        records.End(publish.Payload);
        return PublishRefusal.None;
    }

    private static void AddStamps(RecordBatchBuilder records, in MessageTarget target, TelemetrySource source)
    {
        records.AddHeader(TelemetryHeaders.AuthMethod, source.AuthMethod.Span);
        if (!source.GenerationId.IsEmpty) records.AddHeader(TelemetryHeaders.GenerationId, source.GenerationId.Span);
        if (!target.ModuleId.IsEmpty) records.AddHeader(TelemetryHeaders.ModuleId, target.ModuleId);
        if (!target.FreeTopic.IsEmpty) records.AddHeader(TelemetryHeaders.MqttTopic, target.FreeTopic);
        foreach (var (name, value) in source.Properties)
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, value);
    }

    private static void AddExchange(RecordBatchBuilder records, ExchangeStamp exchange)
    {
        Span<byte> value = stackalloc byte[ExchangeHeader.BytesMax];
        records.AddHeader(TelemetryHeaders.MqttSession, exchange.Session);
        records.AddHeader(TelemetryHeaders.MqttExchange,
            value[..ExchangeHeader.Write(value, exchange.Number, exchange.PacketId)]);
    }

    private static PublishRefusal AddBag(RecordBatchBuilder records, ReadOnlySpan<byte> bag, ref int left)
    {
        byte[]? rented = null;
        Span<byte> scratch = bag.Length <= StackBytes
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(bag.Length);
        var refusal = AddBag(records, bag, scratch, ref left);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return refusal;
    }

    private static PublishRefusal AddBag(
        RecordBatchBuilder records, ReadOnlySpan<byte> bag, Span<byte> scratch, ref int left)
    {
        if (bag[0] == '?') bag = bag[1..];
        while (!bag.IsEmpty)
        {
            var end = bag.IndexOf((byte)'&');
            var pair = end < 0 ? bag : bag[..end];
            bag = end < 0 ? default : bag[(end + 1)..];

            // Some clients end the bag with a slash, as they end the topic when there is no bag.
            if (bag.IsEmpty && pair.EndsWith("/"u8)) pair = pair[..^1];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf((byte)'=');
            var nameLength = PercentCode.Decode(equals < 0 ? pair : pair[..equals], scratch);
            if (nameLength < 0) return PublishRefusal.PropertyBagInvalid;
            var name = scratch[..nameLength];
            var valueLength = equals < 0 ? 0 : PercentCode.Decode(pair[(equals + 1)..], scratch[nameLength..]);
            if (valueLength < 0) return PublishRefusal.PropertyBagInvalid;
            var refusal = Add(records, name, scratch.Slice(nameLength, valueLength), ref left);
            if (refusal != PublishRefusal.None) return refusal;
        }

        return PublishRefusal.None;
    }

    /// <summary>MQTT 5 properties. The payload format and the message's expiry say nothing to what is kept.</summary>
    private static PublishRefusal AddProperties(RecordBatchBuilder records, PropertySet properties, ref int left)
    {
        foreach (var property in properties)
        {
            var refusal = PublishRefusal.None;
            switch (property.Id)
            {
                case PropertyId.ContentType:
                    records.AddHeader(TelemetryHeaders.ContentType, property.Value);
                    break;
                case PropertyId.CorrelationData:
                    records.AddHeader(TelemetryHeaders.CorrelationId, property.Value);
                    break;
                case PropertyId.ResponseTopic:
                    records.AddHeader(TelemetryHeaders.ApplicationPrefix, ResponseTopic, property.Value);
                    break;
                case PropertyId.UserProperty:
                    refusal = Add(records, property.Name, property.Value, ref left);
                    break;
            }

            if (refusal != PublishRefusal.None) return refusal;
        }

        return PublishRefusal.None;
    }

    private static PublishRefusal Add(
        RecordBatchBuilder records, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref int left)
    {
        if (left-- <= 0 || name.Length > NameBytesMax) return PublishRefusal.TooManyProperties;
        var system = PropertyNames.SystemHeader(name);
        if (system.IsEmpty) records.AddHeader(TelemetryHeaders.ApplicationPrefix, name, value);
        else records.AddHeader(system, value);
        return PublishRefusal.None;
    }
}
