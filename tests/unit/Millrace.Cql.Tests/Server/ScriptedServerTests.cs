using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>What a connection bears: logins, odd answers, late ones, and none.</summary>
public class ScriptedServerTests
{
    private static readonly CqlType Text = new(CqlTypeCode.Text);

    [Test]
    public async Task A_node_that_knows_only_v4_is_spoken_to_in_v4()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { VersionMax = 4 };
        await using var session = await server.ConnectAsync();

        Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
        Assert.That(server.Connections[^1].Version, Is.EqualTo(4));
    }

    [Test]
    public async Task A_login_that_the_node_takes_connects_and_one_that_it_refuses_says_so()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { Login = ("anna", "secret") };

        await using (var session = await server.ConnectAsync(o => (o.Username, o.Password) = ("anna", "secret")))
            Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
        var refused = Assert.ThrowsAsync<CqlServerException>(
            () => server.ConnectAsync(o => (o.Username, o.Password) = ("anna", "guess")));
        Assert.That(refused!.ServerCode, Is.EqualTo(ServerErrorCode.BadCredentials));
        var missing = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync());
        Assert.That(missing!.Code, Is.EqualTo("CQ-0100"));
    }

    [Test]
    public async Task A_session_whose_nodes_are_all_gone_finds_others_by_its_contact_points()
    {
        await using var first = new FakeServer((c, r) => c.VoidAsync(r));
        await using var second = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await first.ConnectAsync(o =>
        {
            o.ContactPoints = [$"{first.EndPoint}", $"{second.EndPoint}"];
            o.ReconnectDelayMin = TimeSpan.FromMilliseconds(10);
        });
        Assert.That(session.Nodes.Select(node => node.EndPoint), Is.EqualTo([first.EndPoint]));
        var next = second.EndPoint;

        await first.DisposeAsync();

        await Eventually.TrueAsync(
            () => session.Nodes.Any(node => node.IsUp && node.EndPoint.Equals(next)), "the other node is up");
        Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
    }

    [Test]
    public async Task Answers_that_arrive_byte_by_byte_are_understood()
    {
        await using var server = new FakeServer(async (c, r) =>
        {
            var answer = c.Encode(r.Header.Stream, Opcode.Result,
                RingRows.Rows([("id", Text)], [["a"], ["b"]]));
            foreach (var octet in answer) await c.SendRawAsync(new[] { octet });
        });
        await using var session = await server.ConnectAsync();

        var rows = await session.ExecuteAsync("SELECT id FROM t");

        Assert.That(rows.Select(row => row.Get<string>(0)), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task An_answer_on_a_stream_where_none_is_due_ends_the_connection_and_the_session_makes_another()
    {
        var broken = false;
        await using var server = new FakeServer(async (c, r) =>
        {
            var first = !broken;
            broken = true;
            if (first) await c.SendAsync(4711, Opcode.Result, body => body.Int(1));
            else await c.VoidAsync(r);
        });
        await using var session = await server.ConnectAsync();
        var connections = server.Connections.Count;

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 1"));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9005"));
        await Eventually.TrueAsync(
            () => server.Connections.Count > connections && session.Nodes[0].IsUp, "the session connects again");
        Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
    }

    [Test]
    public async Task A_damaged_frame_ends_the_connection()
    {
        await using var server = new FakeServer(async (c, r) =>
        {
            var answer = c.Encode(r.Header.Stream, Opcode.Result, body => body.Int(1));
            answer[^6] ^= 1;
            await c.SendRawAsync(answer);
        });
        await using var session = await server.ConnectAsync();

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 1"));

        Assert.That(failure!.Message, Does.Contain("CRC-32"));
    }

    [Test]
    public async Task Events_between_answers_disturb_nobody_and_bring_new_nodes()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var other = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        server.Peers.Add(other);
        await server.TellAsync("TOPOLOGY_CHANGE", "NEW_NODE", other);
        for (var i = 0; i < 20; i++) await session.ExecuteAsync("SELECT 1");

        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both nodes are used");
        server.Peers.Clear();
        await server.TellAsync("TOPOLOGY_CHANGE", "REMOVED_NODE", other);
        await Eventually.TrueAsync(() => session.Nodes.Count == 1, "the node is forgotten");
    }

    [Test]
    public async Task A_request_that_is_never_answered_times_out_and_its_stream_is_not_used_again()
    {
        var streams = new List<short>();
        var answer = false;
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode == Opcode.Query) streams.Add(r.Header.Stream);
            return answer ? c.VoidAsync(r) : Task.CompletedTask;
        });
        await using var session = await server.ConnectAsync();

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync(
            new SimpleStatement("SELECT 1") { Timeout = TimeSpan.FromMilliseconds(100) }));
        answer = true;
        await session.ExecuteAsync("SELECT 1");

        Assert.That(failure!.Code, Is.EqualTo("CQ-9004"));
        Assert.That(streams, Is.Unique);
    }

    [Test]
    public async Task Too_many_orphaned_streams_end_the_connection()
    {
        var silent = true;
        await using var server = new FakeServer((c, r) => silent && r.Opcode == Opcode.Query
            ? Task.CompletedTask
            : c.VoidAsync(r));
        await using var session = await server.ConnectAsync(o => o.OrphanedStreamsMax = 3);
        var connections = server.Connections.Count;

        var requests = Enumerable.Range(0, 4).Select(_ => session.ExecuteAsync(
            new SimpleStatement("SELECT 1") { Timeout = TimeSpan.FromMilliseconds(100) }).AsTask()).ToList();
        foreach (var request in requests) Assert.ThrowsAsync<CqlException>(() => request);
        silent = false;

        await Eventually.TrueAsync(() => server.Connections.Count > connections && session.Nodes[0].IsUp,
            "a new connection is made");
        await session.ExecuteAsync("SELECT 1");
    }

    [Test]
    public async Task A_cancelled_request_ends_at_once_and_its_late_answer_is_dropped()
    {
        FakeRequest? late = null;
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode == Opcode.Query && late is null)
            {
                late = r;
                return Task.CompletedTask;
            }

            return c.VoidAsync(r);
        });
        await using var session = await server.ConnectAsync();
        using var cancel = new CancellationTokenSource();

        var request = session.ExecuteAsync(new SimpleStatement("SELECT 1"), cancel.Token).AsTask();
        await Eventually.TrueAsync(() => late is not null, "the request arrives");
        await cancel.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => request);

        foreach (var connection in server.Connections.Where(c => !c.IsControl)) await connection.VoidAsync(late!);
        Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
        Assert.That(session.Nodes[0].InFlight, Is.Zero);
    }

    [Test]
    public async Task A_lost_connection_fails_what_may_not_be_repeated_and_repeats_what_may()
    {
        var drop = true;
        await using var server = new FakeServer((c, r) =>
        {
            if (drop) c.Dispose();
            return drop ? Task.CompletedTask : c.VoidAsync(r);
        });
        await using var other = new FakeServer((c, r) => c.VoidAsync(r));
        server.Peers.Add(other);
        await using var session = await server.ConnectAsync();

        var outcomes = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            await Eventually.TrueAsync(() => session.Nodes.All(node => node.IsUp), "both are up");
            try
            {
                await session.ExecuteAsync("UPDATE t");
                outcomes.Add("done");
            }
            catch (CqlException e)
            {
                outcomes.Add(e.Code);
            }
        }

        Assert.That(outcomes, Is.EquivalentTo(new[] { "done", "CQ-9003" }));
        for (var i = 0; i < 4; i++) await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Idempotent = true });
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_node_that_falls_silent_is_found_out_by_its_heartbeat(bool overTls)
    {
        var silent = false;
        await using var server = new FakeServer((c, r) => silent ? Task.CompletedTask : c.VoidAsync(r))
        { IsSecure = overTls };
        await using var session = await server.ConnectAsync(o =>
        {
            o.HeartbeatInterval = TimeSpan.FromMilliseconds(50);
            o.HeartbeatTimeout = TimeSpan.FromSeconds(2);
        });
        var connections = server.Connections.Count;

        silent = true;
        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 1"));
        silent = false;

        Assert.That(failure!.Code, Is.EqualTo("CQ-9003"));
        Assert.That(failure.Message, Does.Contain("heartbeat"));
        await Eventually.TrueAsync(
            () => server.Connections.Count > connections && session.Nodes[0].IsUp, "it reconnects");
    }

    /// <summary>It would come outside of the frames, which begin with the node's first answer.</summary>
    [Test]
    public async Task A_node_that_is_slow_to_answer_a_login_gets_no_heartbeat_before_it_does()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { StartDelay = TimeSpan.FromSeconds(1.5) };
        await using var session = await server.ConnectAsync(o => o.ReconnectDelayMin = TimeSpan.FromMinutes(1));
        var connections = server.Connections.Count;

        Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);
        Assert.That(server.Connections, Has.Count.EqualTo(connections), "none was lost");
    }

    [Test]
    public async Task Without_any_node_a_request_says_which_were_tried()
    {
        var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await server.ConnectAsync();
        var endPoint = server.EndPoint.ToString();
        await server.DisposeAsync();
        await Eventually.TrueAsync(() => !session.Nodes[0].IsUp, "the node is gone");

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 1"));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9001"));
        Assert.That(failure.Message, Does.Contain(endPoint));
    }

    [Test]
    public void Where_nobody_listens_connecting_says_so()
    {
        var options = new CqlOptions { ContactPoints = ["127.0.0.1:1"] };

        var failure = Assert.ThrowsAsync<CqlException>(() => CqlSession.ConnectAsync(options));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9002"));
    }
}
