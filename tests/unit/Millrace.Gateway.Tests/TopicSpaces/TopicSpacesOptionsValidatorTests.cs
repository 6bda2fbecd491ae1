using Microsoft.Extensions.Options;
using Millrace.Gateway.TopicSpaces;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class TopicSpacesOptionsValidatorTests
{
    [Test]
    public void Off_is_valid_and_is_what_the_defaults_are()
    {
        var options = new TopicSpacesOptions();
        Assert.That((options.Enabled, options.AllowAnonymous), Is.EqualTo((false, false)));
        Assert.That(Failures(options), Is.Empty);
    }

    [Test]
    public void A_space_as_the_page_of_its_error_shows_it_is_valid() =>
        Assert.That(Failures(new TopicSpacesOptions { Enabled = true, Spaces = [Fleet()] }), Is.Empty);

    [Test]
    public void All_that_is_wrong_is_said_at_once_with_its_key()
    {
        var wrong = new TopicSpaceOptions { Name = "No Name", ToEventLog = "alerts", RetainedMax = 0 };
        wrong.Subscribe.Add(new() { Filter = "a/#/b", Everyone = true, Tags = ["x"] });
        wrong.Subscribe.Add(new() { Filter = "a/x-{deviceId}", Devices = ["no such/id"] });
        wrong.Subscribe.Add(new() { Filter = "devices/{deviceId}/chat" });
        var failures = Failures(new TopicSpacesOptions { Enabled = true, Spaces = [Fleet(), wrong, Fleet()] });

        foreach (var key in new[]
        {
            "Spaces:1:Name", "Spaces:1:Publish", "Spaces:1:ToEventLog", "Spaces:1:RetainedMax",
            "Spaces:1:Subscribe:0:Filter", "Spaces:1:Subscribe:0", "Spaces:1:Subscribe:0:Tags",
            "Spaces:1:Subscribe:1:Filter", "Spaces:1:Subscribe:2:Filter", "Spaces:1:Subscribe:2",
        }) Assert.That(failures, Has.Exactly(1).Contains($"[Gateway:TopicSpaces:{key}]"), key);
        Assert.That(failures, Has.Exactly(1).Contains("Spaces:1:Subscribe:1:Devices").And.Contains("no such/id"));
        Assert.That(failures, Has.Exactly(1).Contains("The name fleet is there 2 times"));
        Assert.That(failures, Has.Count.EqualTo(12));
    }

    [TestCase("fleet/{deviceId}/status", "fleet/+/status", true)]
    [TestCase("fleet/a", "fleet/+", true)]
    [TestCase("#", "x", true)]
    [TestCase("{deviceId}/a", "x/{deviceId}", true)]
    [TestCase("fleet/{deviceId}/status", "fleet/+/alarm", false)]
    [TestCase("a/+", "a/+/b", false)]
    public void Topics_of_two_spaces_have_none_in_common(string one, string other, bool overlap)
    {
        var options = new TopicSpacesOptions
        {
            Spaces = [new() { Name = "one", Publish = [Open(one)] }, new() { Name = "two", Publish = [Open(other)] }],
        };
        Assert.That(Failures(options).Count(f => f.Contains("topics in common")), Is.EqualTo(overlap ? 1 : 0));
        options.Spaces[1].Name = "one";
        Assert.That(Failures(options).Any(f => f.Contains("topics in common")), Is.False);
    }

    [TestCase(true, "127.0.0.1", "::1", true)]
    [TestCase(false, "127.0.0.1", "::1", false)]
    [TestCase(true, "0.0.0.0", "::1", false)]
    [TestCase(true, "127.0.0.1", "::", false)]
    public void Anonymous_is_for_this_machine_alone(bool enabled, string plain, string tls, bool valid)
    {
        var gateway = new GatewayOptions();
        (gateway.Mqtt.Address, gateway.Mqtts.Address, gateway.Mqtts.Enabled) = (plain, tls, true);
        var options = new TopicSpacesOptions { Enabled = enabled, AllowAnonymous = true, Spaces = [Fleet()] };
        Assert.That(Failures(options, gateway).Select(f => f[..7]), Is.EqualTo(valid ? [] : new[] { "GW-0031" }));
    }

    [TestCase("telemetry", true)]
    [TestCase("space.fleet-1", true)]
    [TestCase("space.", false)]
    [TestCase("lifecycle", false)]
    [TestCase("space.a/b", false)]
    public void Messages_go_to_telemetry_or_to_a_topic_of_their_own(string topic, bool valid)
    {
        var space = Fleet();
        space.ToEventLog = topic;
        Assert.That(Failures(new TopicSpacesOptions { Spaces = [space] }).Count == 0, Is.EqualTo(valid));
    }

    private static TopicSpaceOptions Fleet() => new()
    {
        Name = "fleet",
        Publish = [Open("fleet/{deviceId}/status")],
        Subscribe = [new() { Filter = "fleet/+/status", Tags = ["role=controller"] }],
    };

    private static TopicAccessOptions Open(string filter) => new() { Filter = filter, Everyone = true };

    private static List<string> Failures(TopicSpacesOptions options, GatewayOptions? gateway = null) =>
        [.. new TopicSpacesOptionsValidator(Options.Create(gateway ?? new())).Validate(null, options).Failures ?? []];
}
