using System.Text;
using Millrace.Gateway.Topics;

namespace Millrace.Gateway.Tests.Topics;

public class TopicTemplateTests
{
    [TestCase("factory/{line}/{deviceId}/data", "factory/7/pump-1/data", "pump-1", "line=7")]
    [TestCase("{deviceId}", "pump-1", "pump-1", "")]
    [TestCase("plain/{kind}", "plain/oil", null, "kind=oil")]
    [TestCase("plain/#", "plain", null, "")]
    [TestCase("plain/#", "plain/a/b", null, "")]
    [TestCase("{a}/{b}/#", "1/2/3", null, "a=1 b=2")]
    public void A_topic_that_fits_gives_device_and_properties(
        string template, string topic, string? device, string properties)
    {
        var mapped = Parse(template).Match(Encoding.UTF8.GetBytes(topic));

        Assert.That(mapped, Is.Not.Null);
        Assert.That(mapped!.DeviceId, Is.EqualTo(device));
        Assert.That(string.Join(' ', mapped.Properties.Select(p => $"{Text(p.Name)}={Text(p.Value)}")),
            Is.EqualTo(properties));
    }

    [TestCase("factory/{line}/data", "factory/7")]
    [TestCase("factory/{line}/data", "factory/7/data/more")]
    [TestCase("factory/{line}/data", "factory/7/status")]
    [TestCase("factory/{line}/data", "factory//data")]
    [TestCase("a/{deviceId}", "a/no space")]
    [TestCase("a/b/#", "a")]
    public void Other_topics_do_not_fit(string template, string topic) =>
        Assert.That(Parse(template).Match(Encoding.UTF8.GetBytes(topic)), Is.Null);

    [TestCase("")]
    [TestCase("#")]
    [TestCase("a/{}/b")]
    [TestCase("a/{x}/{x}")]
    [TestCase("a/x{y}")]
    [TestCase("a/+/b")]
    [TestCase("a/#/b")]
    public void Templates_that_are_invalid(string template) =>
        Assert.That(TopicTemplate.TryParse(template, out _), Is.False);

    private static TopicTemplate Parse(string template)
    {
        Assert.That(TopicTemplate.TryParse(template, out var parsed));
        return parsed!;
    }

    private static string Text(byte[] utf8) => Encoding.UTF8.GetString(utf8);
}
