using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Limits;
using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class SpaceFanoutTests
{
    private ServiceProvider _services = null!;
    private GatewayMetrics _metrics = null!;
    private SpaceMembers _members = null!;
    private TopicSpaceTable _table = null!;

    [SetUp]
    public void Make()
    {
        var options = new TopicSpacesOptions
        {
            Enabled = true,
            Spaces = [new TopicSpaceOptions { Name = "open", Subscribe = [new() { Filter = "#", Everyone = true }] }],
        };
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        _metrics = new GatewayMetrics(_services.GetRequiredService<IMeterFactory>());
        _table = new TopicSpaceTable(Options.Create(options));
        _members = new SpaceMembers(_table, _metrics);
    }

    [TearDown]
    public void Dispose()
    {
        _metrics.Dispose();
        _services.Dispose();
    }

    [TestCase(0, 1)]
    [TestCase(1, 0)]
    public void What_is_not_stored_asks_nobody_who_is_away(int qos, int subscribedQos)
    {
        EnterAway(20, subscribedQos);

        Assert.That(AskAll(qos), Has.Count.EqualTo(1), "whose turn it was");
    }

    [Test]
    public void Each_is_asked_once_for_what_is_stored()
    {
        EnterAway(50, qos: 1);

        Assert.That(AskAll(qos: 1), Is.Unique.And.Exactly(50).Items);
    }

    [Test]
    public void Some_who_were_full_are_asked_again_for_something_may_have_expired_in_their_queues()
    {
        EnterAway(50, qos: 1);
        var full = AskAll(qos: 1);
        foreach (var member in full) member.Refuse(1, member.Freed);

        Assert.That(AskAll(qos: 1), Is.Unique.And.Exactly(11).Items);
    }

    private void EnterAway(int count, int qos)
    {
        var asked = new SessionSubscription("$share/g/a", qos, false, false, 0, 0);
        for (var i = 0; i < count; i++)
        {
            _members.Enter(new SessionKey($"pump-{i}", ""), $"session-{i}", connection: null,
                [new SpaceGrant(_table.Spaces.Single(), asked)]);
        }
    }

    /// <summary>Who is asked for a message that nobody takes, in order.</summary>
    private List<SpaceMember> AskAll(int qos)
    {
        var limits = new GatewayLimits(Options.Create(new GatewayOptions()), TimeProvider.System);
        var fanout = new SpaceFanout(_members, limits, new SessionKey("sender", ""));
        fanout.Add(new SpacePublish(
            _table.Spaces.Single(), "a"u8.ToArray(), qos, PacketId: 0, Retain: false, [], [1], ExpiresAt: null));
        var asked = new List<SpaceMember>();
        while (fanout.Count > 0)
        {
            var copy = fanout.StoredFor.Concat(fanout.Live).Single();
            asked.Add(copy.Member);
            fanout.Clear();
            fanout.TryPassOn(copy);
        }

        return asked;
    }
}
