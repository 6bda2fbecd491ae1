using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.Registry.Identities;

namespace Millrace.Registry.Messages;

/// <summary>Sends messages to devices: appends them to the log, from which the gateways bring them.</summary>
internal sealed class DeviceMessages(
    DeviceRegistry registry, IEventLog log, IOptions<RegistryOptions> options, TimeProvider time)
{
    private const string DefaultTopic = "messages/devicebound";
    private const int TopicBytesMax = 1_024;
    private const int NameBytesMax = 1_024;

    /// <summary>Completes when the message is durable; RG-0002 when there is no such device.</summary>
    public async ValueTask<SentMessage> SendAsync(string deviceId, NewMessage message, CancellationToken ct)
    {
        await registry.GetAsync(deviceId, ct);
        var now = time.GetUtcNow();
        var body = BodyOf(message);
        var topic = $"devices/{deviceId}/{TopicOf(message)}";
        var sent = new SentMessage(message.MessageId ?? Guid.CreateVersion7(now).ToString("N"), topic,
            message.ExpiresInSeconds is { } seconds ? now.AddSeconds(Checked(seconds)) : null);
        using var records = new RecordBatchBuilder();
        var key = Encoding.UTF8.GetBytes(deviceId);
        records.Begin(now.ToUnixTimeMilliseconds(), key);
        AddHeaders(records, message, sent);
        records.End(body);
        var partition = Partitioner.PartitionOf(key, log.FindTopic(Topics.DeviceMessages)!.Partitions);
        await log.AppendAsync(new TopicPartition(Topics.DeviceMessages, partition), records, ct);
        RegistryMetrics.Messages.Add(1);
        return sent;
    }

    private static void AddHeaders(RecordBatchBuilder records, NewMessage message, SentMessage sent)
    {
        if (message.Qos is < 0 or > 2) throw Invalid(message.Qos, "qos is 0, 1 or 2.");
        Add(records, DeviceMessageHeaders.MqttTopic, sent.Topic);
        Add(records, DeviceMessageHeaders.Qos, message.Qos.ToString(CultureInfo.InvariantCulture));
        Add(records, TelemetryHeaders.MessageId, sent.MessageId);
        if (message.ContentType is { } type) Add(records, TelemetryHeaders.ContentType, type);
        if (message.CorrelationId is { } id) Add(records, TelemetryHeaders.CorrelationId, id);
        if (sent.ExpiresAt is { } at)
        {
            Add(records, DeviceMessageHeaders.ExpiresAt,
                at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
        }

        foreach (var (name, value) in message.Properties ?? new Dictionary<string, string?>())
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            if (bytes.Length is 0 or > NameBytesMax) throw Invalid(name, "A property's name has 1 to 1024 bytes.");
            if (value is null) throw Invalid(name, "A property is a text, not null.");
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, bytes, Text(value));
        }
    }

    private static void Add(RecordBatchBuilder records, ReadOnlySpan<byte> name, string value) =>
        records.AddHeader(name, Text(value));

    /// <summary>MQTT's text: at most 65,535 bytes of UTF-8, and no NUL.</summary>
    private static byte[] Text(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return bytes.Length <= ushort.MaxValue && !value.Contains('\0')
            ? bytes
            : throw Invalid(value.Length, "A text has at most 65535 bytes, and no NUL.");
    }

    private byte[] BodyOf(NewMessage message)
    {
        if (message.Body is not null && message.BodyBase64 is not null)
            throw Invalid("body", "Give body or bodyBase64, not both.");
        byte[] body;
        try
        {
            body = message.BodyBase64 is { } base64
                ? Convert.FromBase64String(base64)
                : Encoding.UTF8.GetBytes(message.Body ?? "");
        }
        catch (FormatException)
        {
            throw Invalid("bodyBase64", "It is not base64.");
        }

        var max = options.Value.MessageBytesMax;
        return body.Length <= max.Bytes ? body : throw Invalid(body.Length, $"A message has at most {max}.");
    }

    private static string TopicOf(NewMessage message)
    {
        var topic = message.Topic ?? DefaultTopic;
        var isValid = topic.Length > 0 && Encoding.UTF8.GetByteCount(topic) <= TopicBytesMax
            && !topic.AsSpan().ContainsAny("+#\0");
        return isValid ? topic : throw Invalid(topic, "A topic has 1 to 1024 bytes, and no wildcards.");
    }

    private static long Checked(long seconds) => seconds is > 0 and <= uint.MaxValue
        ? seconds
        : throw Invalid(seconds, "expiresInSeconds is 1 to 4294967295.");

    private static MillraceException Invalid(object value, string detail) =>
        RegistryErrors.RequestInvalid.With(value, detail).AsException();
}
