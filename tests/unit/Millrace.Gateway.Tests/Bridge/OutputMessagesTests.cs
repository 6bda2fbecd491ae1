using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Bridge.Mapping;
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

    private static MqttApplicationMessage? Make(string topic, string key, string body) =>
        Make(topic, key, body, uint.MaxValue, out _);

    private static MqttApplicationMessage? Make(
        string topic, string key, string body, uint packetBytesMax, out string? refusal)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(0, Encoding.UTF8.GetBytes(key));
        records.AddHeader(OutputHeaders.RowId, "row-1"u8);
        records.End(Encoding.UTF8.GetBytes(body));
        return new OutputMessages(MqttVersion.V5, MessageTemplate.TryParse(topic)!)
            .Make(RecordView.Of(records.Bytes.Span, 0), packetBytesMax, out refusal);
    }
}
