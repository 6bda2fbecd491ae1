using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt;
using Millrace.Mqtt.Topics;
using Millrace.Primitives;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Tests.Sessions;

/// <summary>What of a session in memory may go on to other members of a shared subscription.</summary>
public class OutboxTests
{
    private const int MemoryBytes = 1_024;

    private static readonly QueueLimits Limits = new(100, 1 << 20);

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private GatewayMetrics _metrics = null!;
    private QueueMemory _memory = null!;
    private Outbox _outbox = null!;
    private SpaceShare _share;

    [SetUp]
    public void Make()
    {
        _metrics = new GatewayMetrics(_services.GetRequiredService<IMeterFactory>());
        var options = new GatewayOptions();
        options.Sessions.MemoryBytesMax = new ByteSize(MemoryBytes);
        _memory = new QueueMemory(Options.Create(options), _metrics);
        _outbox = new Outbox(inFlightMax: 10, _memory);
        _share = new SpaceShare(GroupOfOne(), null, null);
    }

    [TearDown]
    public void Dispose() => _metrics.Dispose();

    [OneTimeTearDown]
    public void DisposeAll() => _services.Dispose();

    [Test]
    public void What_was_sent_and_not_acknowledged_comes_before_what_waits_each_in_its_order()
    {
        var all = Enumerable.Range(0, 6).Select(i => Wait($"{i}", qos: i == 4 ? 0 : 1)).ToList();
        for (var i = 0; i < 3; i++) Send();
        Acknowledge(2);

        Assert.That(_outbox.TakeShared(), Is.EqualTo([all[0], all[2], all[3], all[4], all[5]]));
        Assert.That(_outbox.WaitingCount, Is.Zero);
        AssertMemoryIsFree();
    }

    [Test]
    public void What_is_for_this_client_alone_stays()
    {
        _share = default;
        Wait("0", qos: 1);
        Wait("1", qos: 1);
        Send();

        Assert.That(_outbox.TakeShared(), Is.Empty);
        AssertMemoryIsFree();
    }

    [Test]
    public void What_is_on_its_way_with_qos_0_or_2_stays()
    {
        foreach (var qos in new[] { 0, 2 })
        {
            Wait("", qos);
            Send();
        }

        AssertMemoryIsFree();
        Assert.That(_outbox.TakeShared(), Is.Empty);
    }

    [Test]
    public void What_another_may_be_given_takes_memory_until_it_is_acknowledged()
    {
        Wait(new string('x', MemoryBytes), qos: 1);
        Send();
        Assert.That(_memory.TryTake(1, isFirst: false), Is.False);
        Acknowledge(1);

        AssertMemoryIsFree();
    }

    /// <summary>Of a tree with one subscription, as it is found there.</summary>
    private static SharedGroup<SpaceSubscription> GroupOfOne()
    {
        var tree = new TopicTree<SpaceSubscription>();
        tree.Add("$share/g/a"u8, new SpaceSubscription(
            new SpaceMember(new SessionKey("pump-1", ""), ""), new TopicSpace("open", false, new(1, 1), null),
            new SessionSubscription("$share/g/a", 1, false, false, 0, 0)));
        var found = new List<TopicMatch<SpaceSubscription>>();
        tree.Match("a"u8, found);
        return found.Single().Group!;
    }

    private LiveMessage Wait(string body, int qos)
    {
        var live = new LiveMessage(
            new OutboundMessage("a", qos, false, [], Encoding.UTF8.GetBytes(body), null, null, []), _share);
        Assert.That(_outbox.TryWait(live, Limits), Is.Null);
        return live;
    }

    private void Send()
    {
        Assert.That(_outbox.TryPeekWaiting(out var live));
        _outbox.LeaveWaiting();
        var sequence = live.Message.Qos == 0 ? 0 : _outbox.TakeSequence();
        if (sequence > 0) _outbox.Window.Send(sequence, live.Message.Qos);
        _outbox.Sent(live, sequence);
    }

    private void Acknowledge(ushort packetId)
    {
        _outbox.Window.Acknowledge(PacketType.PubAck, packetId, ReasonCode.Success, out var sequence);
        _outbox.Acknowledged(sequence);
    }

    private void AssertMemoryIsFree()
    {
        Assert.That(_memory.TryTake(MemoryBytes, isFirst: false));
        _memory.GiveBack(MemoryBytes);
    }
}
