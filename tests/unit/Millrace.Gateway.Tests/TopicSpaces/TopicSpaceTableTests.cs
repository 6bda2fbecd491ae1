using System.Text;
using CsCheck;
using Microsoft.Extensions.Options;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Tests.Topics;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class TopicSpaceTableTests
{
    private static readonly Gen<string> Rule = NaiveTopics.Filter.Select(Gen.Int[0, 3], (filter, at) =>
        string.Join('/', filter.Split('/').Select((level, i) => i == at && level != "#" ? "{deviceId}" : level)));

    [Test]
    public void Everyone_some_and_those_with_a_tag_may_do_what_the_list_says()
    {
        var space = new TopicSpaceOptions
        {
            Name = "fleet",
            Retain = true,
            ToEventLog = "space.fleet",
            RetainedMax = 7,
            RetainedBytesMax = new(9),
            Publish = [new() { Filter = "fleet/{deviceId}/status", Everyone = true }],
            Subscribe =
            [
                new() { Filter = "fleet/{deviceId}/#", Everyone = true },
                new()
                {
                    Filter = "fleet/+/status",
                    Devices = ["boss"],
                    Tags = ["role=controller", "level=7", "on=true"],
                },
            ],
        };
        var table = Table(space);
        var pump = table.AccessOf("pump", """{"role":"pump","level":"seven","on":{"x":1}}""");
        Assert.That(Publish(pump, "fleet/pump/status"), Is.EqualTo((TopicDecision.Granted, "fleet")));
        Assert.That(Publish(pump, "fleet/other/status"), Is.EqualTo((TopicDecision.Denied, (string?)null)));
        Assert.That(Publish(pump, "fleet/pump/other").Decision, Is.EqualTo(TopicDecision.Denied));
        Assert.That(Publish(pump, "elsewhere").Decision, Is.EqualTo(TopicDecision.NoSpace));
        Assert.That(Subscribe(pump, "fleet/pump/+"), Is.EqualTo((TopicDecision.Granted, "fleet")));
        Assert.That(Subscribe(pump, "$share/g/fleet/pump/+"), Is.EqualTo((TopicDecision.Granted, "fleet")));
        foreach (var wider in new[] { "fleet/+/status", "fleet/#", "#", "+/pump/status", "$share/g/fleet/#" })
            Assert.That(Subscribe(pump, wider).Decision, Is.EqualTo(TopicDecision.Denied), wider);
        Assert.That(Subscribe(pump, "elsewhere/#").Decision, Is.EqualTo(TopicDecision.NoSpace));

        foreach (var tags in new[] { """{"role":"controller"}""", """{"level":7}""", """{"on":true}""" })
        {
            Assert.That(Subscribe(table.AccessOf("a", tags), "fleet/+/status"),
                Is.EqualTo((TopicDecision.Granted, "fleet")), tags);
        }

        Assert.That(Subscribe(table.AccessOf("boss", "{}"), "fleet/+/status").Space, Is.EqualTo("fleet"));

        var made = table.Spaces.Single();
        Assert.That((made.Name, made.MayRetain, made.EventLogTopic), Is.EqualTo(("fleet", true, "space.fleet")));
        Assert.That((made.Retained.MessagesMax, made.Retained.BytesMax), Is.EqualTo((7, 9)));
    }

    [TestCase("+")]
    [TestCase("#")]
    [TestCase("a+b#")]
    [TestCase("$SYS")]
    public void A_device_id_counts_as_it_is_written(string device)
    {
        var table = Table(
            Open("any", "x/{deviceId}/#", "x/{deviceId}/#"), Open("top", "{deviceId}/a", "{deviceId}/a"));
        var access = table.AccessOf(device, "{}");
        foreach (var filter in new[] { "x/+/a", "x/#", "x/+/#", "+/a", "#", "+/+/#", "x/other/a", "other/a" })
            Assert.That(Subscribe(access, filter).Decision, Is.Not.EqualTo(TopicDecision.Granted), filter);
        Assert.That(Publish(access, "x/other/a").Decision, Is.EqualTo(TopicDecision.Denied));
    }

    [Test]
    public void The_platform_s_own_topics_are_of_no_space_however_open_it_is()
    {
        var access = Table(Open("all", "#", "#")).AccessOf("d", "{}");
        foreach (var own in new[] { "devices/d/messages/events/", "devices", "telemetry", "telemetry/x", "$iothub/x" })
        {
            Assert.That(Publish(access, own).Decision, Is.EqualTo(TopicDecision.NoSpace), own);
            Assert.That(Subscribe(access, own).Decision, Is.EqualTo(TopicDecision.NoSpace), own);
        }

        Assert.That(Publish(access, "telemetry2").Decision, Is.EqualTo(TopicDecision.Granted));
        Assert.That(Subscribe(access, "#").Decision, Is.EqualTo(TopicDecision.Granted));
        Assert.That(Subscribe(access, "$share/g/#").Decision, Is.EqualTo(TopicDecision.Granted));
        foreach (var none in new[] { "a/#/b", "", "$share/g", "$share//a", "$share/g/$SYS/#" })
            Assert.That(Subscribe(access, none).Decision, Is.EqualTo(TopicDecision.NoSpace), none);
    }

    [Test]
    public void Nothing_is_granted_when_spaces_are_switched_off()
    {
        var options = new TopicSpacesOptions { Spaces = [Open("all", "#", "#")] };
        var table = new TopicSpaceTable(Options.Create(options));
        Assert.That(table.Spaces, Is.Empty);
        Assert.That(Publish(table.AccessOf("d", "{}"), "a").Decision, Is.EqualTo(TopicDecision.NoSpace));
    }

    [Test]
    public void Asking_for_a_topic_allocates_nothing()
    {
        var access = Table(Open("all", ["a/+/x", "a/{deviceId}/#"], [])).AccessOf("d", "{}");
        access.Publish("a/d/y"u8, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) access.Publish("a/d/y"u8, out _);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    /// <summary>The list read as a person would: a rule with the device's id in it, topic by topic.</summary>
    [Test]
    public void Whatever_is_granted_is_within_the_list_topic_by_topic() =>
        Gen.Select(Rule.List[1, 4], NaiveTopics.Filter, Gen.OneOfConst("a", "b", "ü"), NaiveTopics.Topic).Sample(
            (rules, filter, device, topic) =>
            {
                var valid = rules.Where(rule => TopicAccessFilter.Parse(rule, out _) is null).ToArray();
                var access = Table(Open("s", valid, valid)).AccessOf(device, "{}");
                var mine = valid.Select(rule => rule.Replace("{deviceId}", device)).ToArray();
                var hidden = topic.StartsWith('$');
                Assert.That(Publish(access, topic).Decision == TopicDecision.Granted,
                    Is.EqualTo(!hidden && mine.Any(rule => NaiveTopics.Matches(rule, topic))), topic);

                var asked = NaiveTopics.AllTopics.Where(t => NaiveTopics.Matches(filter, t)).ToList();
                var byOne = mine.Any(rule => asked.All(t => NaiveTopics.Matches(rule, t)));
                Assert.That(Subscribe(access, filter).Decision == TopicDecision.Granted,
                    Is.EqualTo(byOne && !filter.StartsWith('$')), $"{filter} by {string.Join(' ', mine)}");
            }, iter: 400);

    private static TopicSpaceOptions Open(string name, string publish, string subscribe) =>
        Open(name, [publish], [subscribe]);

    private static TopicSpaceOptions Open(string name, string[] publish, string[] subscribe) => new()
    {
        Name = name,
        Publish = [.. publish.Select(filter => new TopicAccessOptions { Filter = filter, Everyone = true })],
        Subscribe = [.. subscribe.Select(filter => new TopicAccessOptions { Filter = filter, Everyone = true })],
    };

    private static TopicSpaceTable Table(params TopicSpaceOptions[] spaces) =>
        new(Options.Create(new TopicSpacesOptions { Enabled = true, Spaces = [.. spaces] }));

    private static (TopicDecision Decision, string? Space) Publish(TopicAccess access, string topic)
    {
        var decision = access.Publish(Encoding.UTF8.GetBytes(topic), out var space);
        Assert.That(space is not null, Is.EqualTo(decision == TopicDecision.Granted));
        return (decision, space?.Name);
    }

    private static (TopicDecision Decision, string? Space) Subscribe(TopicAccess access, string filter)
    {
        var decision = access.Subscribe(Encoding.UTF8.GetBytes(filter), out var space);
        Assert.That(space is not null, Is.EqualTo(decision == TopicDecision.Granted));
        return (decision, space?.Name);
    }
}
