using System.Text;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;

namespace Millrace.Gateway.Tests.Topics;

public class OwnTopicsTests
{
    [TestCase("devices/a/messages/devicebound/#", "a", true)]
    [TestCase("devices/a/modules/m/#", "a", true)]
    [TestCase("$iothub/twin/res/#", "a", true)]
    [TestCase("devices/+/messages/devicebound/#", "a", false)]
    [TestCase("devices/a/messages/devicebound/#", "+", false)]
    [TestCase("devices/#", "#", false)]
    [TestCase("+/a/messages/devicebound/#", "a", false)]
    [TestCase("telemetry", "a", false)]
    public void A_device_id_in_a_filter_is_literal(string filter, string device, bool granted) =>
        Assert.That(OwnTopics.Grant(new Subscription(Encoding.UTF8.GetBytes(filter), 2), device, MqttVersion.V5),
            Is.EqualTo(granted ? 2 : (int)ReasonCode.NotAuthorized));

    [TestCase("devices/+/messages/#", "devices/+/messages/devicebound/a=1", "+", true)]
    [TestCase("devices/a/#", "devices/a/$x", "a", true)]
    [TestCase("devices/a/+/b", "devices/a/x/b", "a", true)]
    [TestCase("devices/a/x/#", "devices/a/x", "a", true)]
    [TestCase("devices/a/x", "devices/a/x/y", "a", false)]
    [TestCase("devices/a/+", "devices/a/x/y", "a", false)]
    [TestCase("$iothub/#", "devices/a/x", "a", false)]
    public void A_filter_asks_for_topics(string filter, string topic, string device, bool matches) =>
        Assert.That(OwnTopics.Matches(filter, topic, device), Is.EqualTo(matches));
}
