using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>What nodes tell of each other: it may be late, and it may be wrong.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class NodeEventTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private bool _isSilent;
    private int _probes;

    [Test]
    public async Task A_node_that_is_said_to_be_up_is_tried_at_once()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var other = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await ConnectAsync(server, other);
        other.Fail();
        await Eventually.TrueAsync(() => other.Refusals > 0, "it is tried, in vain");
        other.Recover();

        await server.TellAsync("STATUS_CHANGE", "UP", other);

        await Eventually.TrueAsync(() => Of(session, other).IsUp, "it is used again");
        Assert.That(other.Refusals, Is.EqualTo(1), "the next try by itself is minutes away");
    }

    [Test]
    public async Task A_node_that_is_said_to_be_down_and_is_silent_loses_its_connection_at_once()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var other = new FakeServer(AnswerAsync);
        await using var session = await ConnectAsync(server, other);
        var connections = other.Connections.Count;
        _isSilent = true;

        await server.TellAsync("STATUS_CHANGE", "DOWN", other);

        await Eventually.TrueAsync(() => other.Connections.Count > connections, "another is made in its place");
        Assert.That(_probes, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_node_that_is_said_to_be_down_and_answers_keeps_its_connections()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var other = new FakeServer(AnswerAsync);
        await using var session = await ConnectAsync(server, other);
        var node = Of(session, other);
        var connections = other.Connections.Count;

        for (var i = 1; i <= 3; i++)
        {
            // What is told while it is being asked asks no second time.
            await Eventually.TrueAsync(async () =>
            {
                await server.TellAsync("STATUS_CHANGE", "DOWN", other);
                return _probes >= i;
            }, "it is asked whether it lives");
            await session.ExecuteAsync(new SimpleStatement("SELECT id FROM ks.t") { Node = node });
        }

        Assert.That((node.IsUp, other.Connections.Count), Is.EqualTo((true, connections)));
    }

    private static async Task<CqlSession> ConnectAsync(FakeServer server, FakeServer other)
    {
        server.Peers.Add(other);
        var session = await server.ConnectAsync(o =>
        {
            (o.ReconnectDelayMin, o.ReconnectDelayMax, o.HeartbeatInterval) = (Long, Long, Long);
            o.HeartbeatTimeout = TimeSpan.FromSeconds(1);
        });
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both are up");
        return session;
    }

    private static CqlNode Of(CqlSession session, FakeServer server) =>
        session.Nodes.Single(node => node.EndPoint.Equals(server.EndPoint));

    private Task AnswerAsync(FakeConnection connection, FakeRequest request)
    {
        if (request.Opcode == Opcode.Options) _probes++;
        return _isSilent ? Task.CompletedTask : connection.VoidAsync(request);
    }
}
