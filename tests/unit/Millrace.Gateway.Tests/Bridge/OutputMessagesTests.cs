using System.Text;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Mqtt;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Tests.Bridge;

public class OutputMessagesTests
{
    [Test]
    public void The_topic_is_made_of_key_and_fields_and_the_row_keeps_its_id()
    {
        var message = Make("alerts/{$.severity}/{key}", "pump-1", """{"severity":"critical"}""")!;

        Assert.That(message.Topic, Is.EqualTo("alerts/critical/pump-1"));
        Assert.That(message.ConvertPayloadToString(), Is.EqualTo("""{"severity":"critical"}"""));
        Assert.That(message.QualityOfServiceLevel, Is.EqualTo(MqttQualityOfServiceLevel.AtLeastOnce));
        Assert.That(message.UserProperties.Single().Name, Is.EqualTo("row-id"));
    }

    [Test]
    public void A_value_stays_in_its_level_and_is_no_wildcard() =>
        Assert.That(Make("x/{key}", "a/b+c#d%e", "{}")!.Topic, Is.EqualTo("x/a%2Fb%2Bc%23d%25e"));

    [TestCase("x/{$.none}", 1_000u, "{$.none}")]
    [TestCase("x", 60u, "1 B of topic")]
    public void What_cannot_be_sent_is_said(string topic, uint packetBytesMax, string refusal)
    {
        Assert.That(Make(topic, "k", "{}", packetBytesMax, out var why), Is.Null);
        Assert.That(why, Does.Contain(refusal));
    }

    [TestCase("site/{key}/{topic}", "devices/pump-1/methods/stop", "site/pump-1/methods/stop")]
    [TestCase("site/{topic}/{$.n}", "devices/pump-1/a/b/c", "site/a/b/c/7")]
    [TestCase("site/{topic}", "devices/pump-2/methods/stop", null)]
    public void A_message_for_a_device_keeps_its_own_topic_below_the_device(string topic, string sent, string? made)
    {
        var message = new ToDevices(topic).Make(sent, out var refusal);
        Assert.That(message?.Topic, Is.EqualTo(made));
        Assert.That(refusal, Is.EqualTo(made is null ? "{topic}" : null));
    }

    [Test]
    public void A_message_for_a_device_says_what_its_sender_said()
    {
        var message = new ToDevices("{topic}").Make("devices/pump-1/x", out _)!;
        Assert.That(message.ContentType, Is.EqualTo("text/plain"));
        Assert.That(message.CorrelationData, Is.EqualTo("c-1"u8.ToArray()));
        Assert.That(message.MessageExpiryInterval, Is.EqualTo(30));
        Assert.That(message.UserProperties.Select(each => (each.Name, Encoding.UTF8.GetString(each.ValueBuffer.Span))),
            Is.EqualTo(new[] { ("$.mid", "m-1"), ("speed", "fast") }));

        var plain = new ToDevices("{topic}", MqttVersion.V311).Make("devices/pump-1/x", out _)!;
        Assert.That(plain.UserProperties, Is.Null);
    }

    [Test]
    public void A_message_for_a_device_is_told_from_one_whose_time_is_over()
    {
        var messages = new ToDevices("{topic}");
        Assert.That(messages.IsExpired, Is.False);
        messages.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.That(messages.IsExpired, Is.True);
    }

    [Test]
    public void Properties_count_for_the_largest_packet()
    {
        Assert.That(new ToDevices("{topic}").Make("devices/pump-1/x", out _, packetBytesMax: 120), Is.Null);
        Assert.That(new ToDevices("{topic}", MqttVersion.V311).Make("devices/pump-1/x", out _, 120), Is.Not.Null);
    }

    private static MqttApplicationMessage? Make(string topic, string key, string body) =>
        Make(topic, key, body, uint.MaxValue, out _);

    private static MqttApplicationMessage? Make(
        string topic, string key, string body, uint packetBytesMax, out string? refusal)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(0, Encoding.UTF8.GetBytes(key));
        records.AddHeader(OutputHeaders.RowId, "row-1"u8);
        records.End(Encoding.UTF8.GetBytes(body));
        var output = new BridgeOutputOptions { From = Contracts.Topics.Alerts, Topic = topic };
        return new OutputMessages(MqttVersion.V5, output, TimeProvider.System)
            .Make(RecordView.Of(records.Bytes.Span, 0), packetBytesMax, out refusal);
    }

    /// <summary>An output of device-messages, and one of them with all that it may have.</summary>
    private sealed class ToDevices
    {
        private readonly OutputMessages _messages;

        public ToDevices(string topic, MqttVersion version = MqttVersion.V5) => _messages = new OutputMessages(
            version, new BridgeOutputOptions { From = Contracts.Topics.DeviceMessages, Topic = topic }, Time);

        public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddDays(1));

        public bool IsExpired
        {
            get
            {
                using var records = Records("devices/pump-1/x", DateTimeOffset.UnixEpoch.AddDays(1).AddSeconds(30));
                return _messages.IsExpired(RecordView.Of(records.Bytes.Span, 0));
            }
        }

        public MqttApplicationMessage? Make(string topic, out string? refusal, uint packetBytesMax = uint.MaxValue)
        {
            using var records = Records(topic, Time.GetUtcNow().AddSeconds(30));
            return _messages.Make(RecordView.Of(records.Bytes.Span, 0), packetBytesMax, out refusal);
        }

        private static RecordBatchBuilder Records(string topic, DateTimeOffset expiry)
        {
            var records = new RecordBatchBuilder();
            records.Begin(0, "pump-1"u8);
            records.AddHeader(DeviceMessageHeaders.MqttTopic, Encoding.UTF8.GetBytes(topic));
            records.AddHeader(DeviceMessageHeaders.Qos, "1"u8);
            records.AddHeader(TelemetryHeaders.MessageId, "m-1"u8);
            records.AddHeader(TelemetryHeaders.ContentType, "text/plain"u8);
            records.AddHeader(TelemetryHeaders.CorrelationId, "c-1"u8);
            records.AddHeader(DeviceMessageHeaders.ExpiresAt,
                Encoding.UTF8.GetBytes($"{expiry.ToUnixTimeMilliseconds()}"));
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, "speed"u8, "fast"u8);
            records.End("""{"n":7}"""u8);
            return records;
        }
    }
}
