using System.Text;
using Millrace.Gateway.Topics;

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
        Assert.That(OwnTopics.MayHave(Encoding.UTF8.GetBytes(filter), device), Is.EqualTo(granted));
}
