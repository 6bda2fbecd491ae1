using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Mqtt;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>Makes messages for the broker of an output topic's records.</summary>
internal sealed class OutputMessages(MqttVersion version, MessageTemplate topic)
{
    private const string KeyName = "key";
    private const string RowIdName = "row-id";
    private const int TopicBytesMax = 65_535;
    private const int OverheadBytes = 64;

    public static bool IsKnown(string name) => name == KeyName;

    /// <summary>Of the only record that there is.</summary>
    public MqttApplicationMessage? MakeFirst(RecordBatch batch, uint packetBytesMax, out string? refusal)
    {
        var records = batch.GetEnumerator();
        records.MoveNext();
        return Make(records.Current, packetBytesMax, out refusal);
    }

    /// <summary>The message, or why there can be none.</summary>
    /// <param name="packetBytesMax">The largest packet that the broker takes.</param>
    public MqttApplicationMessage? Make(RecordView record, uint packetBytesMax, out string? refusal)
    {
        var key = record.HasKey ? Encoding.UTF8.GetString(record.Key) : "";
        var body = record.Value.ToArray();
        using var fields = new MessageFields(key.Length > 0 ? [(KeyName, key)] : [], body);
        var text = new StringBuilder();
        refusal = topic.Render(text, fields, OneLevel);
        if (refusal is not null) return null;
        var name = text.ToString();
        var topicBytes = Encoding.UTF8.GetByteCount(name);
        if (topicBytes is 0 or > TopicBytesMax || topicBytes + body.Length + OverheadBytes > packetBytesMax)
        {
            refusal = $"{topicBytes} B of topic and {body.Length} B of body";
            return null;
        }

        var message = new MqttApplicationMessageBuilder().WithTopic(name).WithPayload(body)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        if (version == MqttVersion.V5)
        {
            message.WithContentType("application/json");
            if (record.TryGetHeader(OutputHeaders.RowId, out var rowId))
                message.WithUserProperty(RowIdName, rowId.ToArray());
        }

        return message.Build();
    }

    /// <summary>A value stays within its level, and is no wildcard.</summary>
    private static string OneLevel(string value) => value.Replace("%", "%25").Replace("/", "%2F")
        .Replace("+", "%2B").Replace("#", "%23").Replace("\0", "%00");
}
