using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>A record of the topic device-messages.</summary>
internal sealed record DeviceMessage(string DeviceId, OutboundMessage Message)
{
    private const int NumberBytes = 5;

    /// <summary>Null when the record is none that can be delivered.</summary>
    public static DeviceMessage? Read(RecordView record, TopicPartition partition)
    {
        var device = Encoding.UTF8.GetString(record.Key);
        if (!record.TryGetHeader(DeviceMessageHeaders.MqttTopic, out var topicBytes)) return null;
        var topic = Encoding.UTF8.GetString(topicBytes);
        var isOwn = topic.StartsWith(OwnTopics.Prefix(device), StringComparison.Ordinal);
        if (!isOwn || !TopicName.IsValid(topicBytes) || !FitsMqtt(record) || QosOf(record) is not { } qos) return null;
        return new DeviceMessage(device, new OutboundMessage(
            topic, qos, Retain: false, PropertiesOf(record), record.Value.ToArray(), ExpiryOf(record),
            new PartitionOffset(partition, record.Offset), SubscriptionIds: []));
    }

    /// <summary>No text and no bytes of MQTT are longer.</summary>
    private static bool FitsMqtt(RecordView record)
    {
        foreach (var header in record.Headers)
        {
            if (header.Value.Length > ushort.MaxValue) return false;
        }

        return true;
    }

    private static int? QosOf(RecordView record)
    {
        if (!record.TryGetHeader(DeviceMessageHeaders.Qos, out var qos)) return 1;
        return qos.Length == 1 && qos[0] is >= (byte)'0' and <= (byte)'2' ? qos[0] - '0' : null;
    }

    public static DateTimeOffset? ExpiryOf(RecordView record) =>
        record.TryGetHeader(DeviceMessageHeaders.ExpiresAt, out var text)
            && Utf8Parser.TryParse(text, out long milliseconds, out _)
            ? RecordDefects.NearestTime(milliseconds)
            : null;

    /// <summary>Application properties and the message id become user properties.</summary>
    private static byte[] PropertiesOf(RecordView record)
    {
        var rented = ArrayPool<byte>.Shared.Rent(record.Bytes.Length + (record.HeaderCount * NumberBytes));
        var properties = new PropertyWriter(rented);
        foreach (var header in record.Headers)
        {
            if (header.Name.SequenceEqual(TelemetryHeaders.ContentType))
                properties.Bytes(PropertyId.ContentType, header.Value);
            else if (header.Name.SequenceEqual(TelemetryHeaders.CorrelationId))
                properties.Bytes(PropertyId.CorrelationData, header.Value);
            else if (header.Name.SequenceEqual(TelemetryHeaders.MessageId)) properties.User("$.mid"u8, header.Value);
            else if (header.Name.StartsWith(TelemetryHeaders.ApplicationPrefix))
                properties.User(header.Name[TelemetryHeaders.ApplicationPrefix.Length..], header.Value);
        }

        var written = properties.Written.ToArray();
        ArrayPool<byte>.Shared.Return(rented);
        return written;
    }
}
