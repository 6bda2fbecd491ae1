using System.Text;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Bridge.Mapping;

namespace Millrace.Gateway.Tests.Bridge;

public class MappingTests
{
    private const string Body =
        """{"sensor":{"id":"s-7","on":true},"t":21.50,"text":"a/b","list":[1, 2],"none":null}""";

    [Test]
    public void Device_and_properties_come_from_levels_and_fields()
    {
        var message = Mapped(new BridgeSubscriptionOptions
        {
            Topic = "plant/{line}/+/{machine}/#",
            DeviceId = "{line}-{machine}:{$.sensor.id}",
            ModuleId = "m{$.sensor.on}",
            ContentType = "application/json",
            Properties = { ["line"] = "{line}", ["t"] = "{$.t} C" },
        }, "plant/a/x/press/1/2", Body);

        Assert.That(Text(message.DeviceId), Is.EqualTo("a-press:s-7"));
        Assert.That(Text(message.ModuleId!), Is.EqualTo("mtrue"));
        Assert.That(Text(message.ContentType!), Is.EqualTo("application/json"));
        Assert.That(message.Properties.Select(p => (Text(p.Name), Text(p.Value))),
            Is.EqualTo(new[] { ("line", "a"), ("t", "21.50 C") }));
        Assert.That(Text(message.Body.ToArray()), Is.EqualTo(Body));
        Assert.That(Text(message.Topic), Is.EqualTo("plant/a/x/press/1/2"));
    }

    [TestCase("$.sensor", """{"id":"s-7","on":true}""")]
    [TestCase("$.list", "[1, 2]")]
    [TestCase("$.t", "21.50")]
    [TestCase("$.text", "a/b")]
    [TestCase("$.none", "null")]
    public void A_field_can_be_the_body(string field, string body)
    {
        var options = new BridgeSubscriptionOptions { Topic = "{d}", DeviceId = "{d}", Body = field };
        Assert.That(Text(Mapped(options, "d1", Body).Body.ToArray()), Is.EqualTo(body));
    }

    [TestCase("{$.missing}", "", Body, ExpectedResult = "FieldMissing {$.missing}")]
    [TestCase("{$.sensor}", "", Body, ExpectedResult = "FieldMissing {$.sensor}", TestName = "An object is no text")]
    [TestCase("{$.none}", "", Body, ExpectedResult = "FieldMissing {$.none}")]
    [TestCase("{$.t}", "", "no json", ExpectedResult = "FieldMissing {$.t}")]
    [TestCase("{$.t}", "", """{"t":"\ud800"}""", ExpectedResult = "FieldMissing {$.t}", TestName = "Half a character")]
    [TestCase("{$.text}", "", Body, ExpectedResult = "DeviceIdInvalid a/b")]
    [TestCase("{d}", "$.missing", Body, ExpectedResult = "FieldMissing Body")]
    public string What_cannot_be_mapped_is_said_with_its_reason(string device, string field, string body)
    {
        var options = new BridgeSubscriptionOptions { Topic = "{d}", DeviceId = device, Body = field };
        var failure = new BridgeMapping([options], 8).Map("d1", Bytes(body), out _, out var offending);
        return $"{failure} {offending}";
    }

    [Test]
    public void An_empty_level_is_no_device_and_an_unknown_topic_no_telemetry()
    {
        var mapping = new BridgeMapping([new() { Topic = "a/{d}", DeviceId = "{d}" }], 8);
        Assert.That(mapping.Map("a/", default, out _, out _), Is.EqualTo(MappingFailure.DeviceIdInvalid));
        Assert.That(mapping.Map("b/d", default, out _, out _), Is.EqualTo(MappingFailure.TopicUnknown));
        Assert.That(mapping.Map("a/d", default, out _, out _), Is.EqualTo(MappingFailure.None));
    }

    [Test]
    public void The_first_subscription_that_fits_counts_however_many_topics_were_seen()
    {
        var mapping = new BridgeMapping(
            [new() { Topic = "a/x", DeviceId = "first" }, new() { Topic = "a/{d}", DeviceId = "{d}" }], topicsMax: 2);
        for (var i = 0; i < 10; i++)
        {
            mapping.Map($"a/d{i}", default, out var message, out _);
            Assert.That(Text(message!.DeviceId), Is.EqualTo($"d{i}"));
            mapping.Map("a/x", default, out message, out _);
            Assert.That(Text(message!.DeviceId), Is.EqualTo("first"));
        }
    }

    /// <summary>A pattern matches exactly what its filter does by the rules of MQTT 5 §4.7, and names levels.</summary>
    [Test]
    public void A_pattern_agrees_with_the_rules_of_topic_filters()
    {
        var random = new Random(7);
        string[] patternLevels = ["a", "b", "", "+", "{x}", "$s"];
        string[] topicLevels = ["a", "b", "", "c", "$s"];
        for (var i = 0; i < 20_000; i++)
        {
            var levels = Pick(random, patternLevels, 4);
            if (levels.Count(level => level == "{x}") > 1) continue;
            if (random.Next(3) == 0) levels.Add("#");
            var pattern = NamedFilter.TryParse(string.Join('/', levels));
            if (pattern is null)
            {
                Assert.That(string.Join('/', levels), Is.Empty);
                continue;
            }

            Assert.That(pattern.Filter, Is.EqualTo(string.Join('/', levels).Replace("{x}", "+")));
            var topic = Pick(random, topicLevels, 4);
            var values = pattern.Match(string.Join('/', topic));
            Assert.That(values is not null, Is.EqualTo(Fits(pattern.Filter.Split('/'), topic)),
                $"{pattern.Filter} on {string.Join('/', topic)}");
            var named = levels.IndexOf("{x}");
            if (values is not null && named >= 0) Assert.That(values, Is.EqualTo(new[] { ("x", topic[named]) }));
        }
    }

    [TestCase("a/{x}/{x}")]
    [TestCase("a/#/b")]
    [TestCase("a/b+")]
    [TestCase("a/{}")]
    [TestCase("a/{x y}")]
    [TestCase("a/x{y}")]
    [TestCase("")]
    public void What_is_no_pattern_is_refused(string text) => Assert.That(NamedFilter.TryParse(text), Is.Null);

    [TestCase("{")]
    [TestCase("}")]
    [TestCase("a}b")]
    [TestCase("{}")]
    [TestCase("{a b}")]
    [TestCase("{$}")]
    [TestCase("{$.}")]
    [TestCase("{$.a..b}")]
    [TestCase("{a{b}")]
    public void What_is_no_template_is_refused(string text) => Assert.That(MessageTemplate.TryParse(text), Is.Null);

    /// <summary>Whatever bytes come, the answer is a mapping or a reason, never an exception.</summary>
    [Test]
    public void No_body_breaks_a_mapping()
    {
        var random = new Random(11);
        var mapping = new BridgeMapping(
            [new() { Topic = "{d}", DeviceId = "{d}", Properties = { ["x"] = "{$.sensor.id}" }, Body = "$.sensor" }],
            8);
        var good = Bytes(Body);
        for (var i = 0; i < 5_000; i++)
        {
            var body = (byte[])good.Clone();
            for (var change = 0; change < 3; change++) body[random.Next(body.Length)] = (byte)random.Next(256);
            var failure = mapping.Map("d1", body.AsMemory(0, random.Next(body.Length + 1)), out var message, out _);
            Assert.That(message is not null, Is.EqualTo(failure == MappingFailure.None));
        }
    }

    private static bool Fits(string[] filter, List<string> topic)
    {
        if (topic[0].StartsWith('$') && filter[0] is "+" or "#" && topic[0].StartsWith('$')) return false;
        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] == "#") return true;
            if (i >= topic.Count || (filter[i] != "+" && filter[i] != topic[i])) return false;
        }

        return filter.Length == topic.Count;
    }

    private static List<string> Pick(Random random, string[] from, int max) =>
        [.. Enumerable.Range(0, random.Next(1, max + 1)).Select(_ => from[random.Next(from.Length)])];

    private static MappedMessage Mapped(BridgeSubscriptionOptions options, string topic, string body)
    {
        var failure = new BridgeMapping([options], 8).Map(topic, Bytes(body), out var message, out var offending);
        Assert.That(failure, Is.EqualTo(MappingFailure.None), offending);
        return message!;
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
