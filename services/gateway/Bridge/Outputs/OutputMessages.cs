using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>Makes messages for the broker of an output topic's records.</summary>
internal sealed class OutputMessages(MqttVersion version, BridgeOutputOptions output, TimeProvider time)
{
    private const string KeyName = "key";
    private const string TopicName = "topic";
    private const string RowIdName = "row-id";
    private const string MessageIdName = "$.mid";
    private const int TopicBytesMax = 65_535;
    private const int OverheadBytes = 64;
    private const int PropertyOverheadBytes = 5;

    private readonly MessageTemplate _topic = MessageTemplate.TryParse(output.Topic)!;
    private readonly bool _isToDevices = IsToDevices(output);

    /// <summary>All messages go to the same topic.</summary>
    public bool HaveOneTopic => _topic.IsConstant;

    public static bool IsKnown(string name, BridgeOutputOptions output) =>
        name == KeyName || (name == TopicName && IsToDevices(output));

    /// <summary>Whether it is a message to a device that need not be delivered any more.</summary>
    public bool IsExpired(RecordView record) =>
        _isToDevices && DeviceMessage.ExpiryOf(record) is { } expiry && expiry <= time.GetUtcNow();

    /// <summary>Of the only record that there is.</summary>
    public MqttApplicationMessage? MakeFirst(RecordBatch batch, uint packetBytesMax, out string? refusal)
    {
        var records = batch.GetEnumerator();
        records.MoveNext();
        if (!IsExpired(records.Current)) return Make(records.Current, packetBytesMax, out refusal);
        refusal = "its time is over";
        return null;
    }

    /// <summary>The message, or why there can be none.</summary>
    /// <param name="packetBytesMax">The largest packet that the broker takes.</param>
    public MqttApplicationMessage? Make(RecordView record, uint packetBytesMax, out string? refusal)
    {
        var body = record.Value.ToArray();
        using var fields = new MessageFields(NamesOf(record), body);
        var text = new StringBuilder();
        refusal = _topic.Render(text, fields, Written);
        if (refusal is not null) return null;
        var name = text.ToString();
        var message = new MqttApplicationMessageBuilder().WithTopic(name).WithPayload(body)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        var properties = version == MqttVersion.V5 ? AddProperties(message, record) : 0;
        var topic = Encoding.UTF8.GetByteCount(name);
        if (topic is > 0 and <= TopicBytesMax && topic + body.Length + properties + OverheadBytes <= packetBytesMax)
            return message.Build();
        refusal = $"{topic} B of topic, {body.Length} B of body and {properties} B of properties";
        return null;
    }

    private static bool IsToDevices(BridgeOutputOptions output) => output.From == Contracts.Topics.DeviceMessages;

    private List<(string Name, string Value)> NamesOf(RecordView record)
    {
        var names = new List<(string, string)>();
        var key = record.HasKey ? Encoding.UTF8.GetString(record.Key) : "";
        if (key.Length > 0) names.Add((KeyName, key));
        if (!_isToDevices || !record.TryGetHeader(DeviceMessageHeaders.MqttTopic, out var bytes)) return names;
        var topic = Encoding.UTF8.GetString(bytes);
        var prefix = OwnTopics.Prefix(key);
        if (topic.StartsWith(prefix, StringComparison.Ordinal)) names.Add((TopicName, topic[prefix.Length..]));
        return names;
    }

    /// <summary>How many bytes they take in the packet, at most.</summary>
    private int AddProperties(MqttApplicationMessageBuilder message, RecordView record)
    {
        if (_isToDevices) return AddSent(message, record);
        message.WithContentType("application/json");
        if (!record.TryGetHeader(OutputHeaders.RowId, out var rowId)) return 0;
        message.WithUserProperty(RowIdName, rowId.ToArray());
        return RowIdName.Length + rowId.Length + PropertyOverheadBytes;
    }

    /// <summary>What whoever sent the message has said of it; as the device itself would hear it.</summary>
    private int AddSent(MqttApplicationMessageBuilder message, RecordView record)
    {
        if (DeviceMessage.ExpiryOf(record) is { } expiry)
        {
            var left = Math.Ceiling((expiry - time.GetUtcNow()).TotalSeconds);
            message.WithMessageExpiryInterval((uint)Math.Clamp(left, 1, uint.MaxValue));
        }

        var bytes = 0;
        foreach (var header in record.Headers)
        {
            if (TryAdd(message, header)) bytes += header.Name.Length + header.Value.Length + PropertyOverheadBytes;
        }

        return bytes;
    }

    private static bool TryAdd(MqttApplicationMessageBuilder message, RecordView.Header header)
    {
        if (header.Value.Length > ushort.MaxValue) return false;
        if (header.Name.SequenceEqual(TelemetryHeaders.ContentType))
            message.WithContentType(Encoding.UTF8.GetString(header.Value));
        else if (header.Name.SequenceEqual(TelemetryHeaders.CorrelationId))
            message.WithCorrelationData(header.Value.ToArray());
        else if (header.Name.SequenceEqual(TelemetryHeaders.MessageId))
            message.WithUserProperty(MessageIdName, header.Value.ToArray());
        else if (header.Name.StartsWith(TelemetryHeaders.ApplicationPrefix))
        {
            var name = header.Name[TelemetryHeaders.ApplicationPrefix.Length..];
            message.WithUserProperty(Encoding.UTF8.GetString(name), header.Value.ToArray());
        }
        else return false;

        return true;
    }

    /// <summary>
    /// A value stays within its level, and is no wildcard; a message's own topic keeps its levels, and has none.
    /// </summary>
    private static string Written(string name, string value) => name == TopicName ? value : value.Replace("%", "%25")
        .Replace("/", "%2F").Replace("+", "%2B").Replace("#", "%23").Replace("\0", "%00");
}
