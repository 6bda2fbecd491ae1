using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>Failures at the wrong moment, which a session must outlive.</summary>
public class ScriptedFaultTests
{
    private static readonly CqlType Text = new(CqlTypeCode.Text);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Test]
    public async Task A_node_that_hangs_in_its_second_login_in_v4_is_told_as_one_that_cannot_be_reached()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { VersionMax = 4, StartDelay = Long };

        var failure = Assert.CatchAsync<CqlException>(
            () => server.ConnectAsync(o => o.ConnectTimeout = TimeSpan.FromMilliseconds(300)));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9002"));
    }

    [Test]
    public async Task The_ring_is_followed_again_after_a_node_hung_in_its_second_login()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { VersionMax = 4 };
        await using var other = new FakeServer((c, r) => c.VoidAsync(r)) { VersionMax = 4 };
        await using var session = await server.ConnectAsync(o =>
        {
            o.ConnectTimeout = TimeSpan.FromSeconds(1);
            o.ReconnectDelayMax = TimeSpan.FromMilliseconds(50);
        });

        var before = server.Connections;
        server.StartDelay = Long;
        foreach (var connection in before) connection.Dispose();

        // Each try is two connections, one in v5 and one in v4; two loops try.
        await Eventually.TrueAsync(() => server.Connections.Count > before.Count + 12, "logins hang");
        server.Peers.Add(other);
        server.StartDelay = TimeSpan.Zero;

        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "the new node is found");
    }

    [Test]
    public async Task A_full_connection_that_answers_its_heartbeat_lives_on()
    {
        FakeRequest? held = null;
        var heartbeats = 0;
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode != Opcode.Query) heartbeats++;
            else if (held is null)
            {
                held = r;
                return Task.CompletedTask;
            }

            return c.VoidAsync(r);
        });
        await using var session = await server.ConnectAsync(o => (o.StreamsMax, o.RequestTimeout) = (1, Patience));

        var request = session.ExecuteAsync("SELECT 1").AsTask();
        await Eventually.TrueAsync(() => heartbeats > 1, "the node is asked whether it lives");
        var full = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 2"));
        foreach (var connection in server.Connections.Where(c => !c.IsControl)) await connection.VoidAsync(held!);

        Assert.That((await request).Count, Is.Zero);
        Assert.That(full!.Message, Does.Contain("CQ-9001").And.Contain("full"));
    }

    [Test]
    public async Task A_statement_whose_meaning_has_changed_is_good_again_once_it_is_prepared_anew()
    {
        byte id = 0;
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode == Opcode.Prepare)
                return c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([++id], ("id", Text)));
            return r.Body[2] < 3 ? c.ErrorAsync(r, ServerErrorCode.Unprepared, b => b.ShortBytes([1])) : c.VoidAsync(r);
        });
        await using var session = await server.ConnectAsync();
        const string text = "INSERT INTO ks.t (id) VALUES (?)";
        var insert = await session.PrepareAsync(text);

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync(insert.Bind("a")));
        var again = await session.PrepareAsync(text);

        Assert.That(failure!.Code, Is.EqualTo("CQ-9011"), failure.ToString());
        Assert.That((insert.IsOutdated, again.IsOutdated), Is.EqualTo((true, false)));
        Assert.That((await session.ExecuteAsync(again.Bind("a"))).Count, Is.Zero);
        Assert.That(await session.PrepareAsync(text), Is.SameAs(again));
    }

    [Test]
    public async Task A_node_that_dies_while_it_prepares_again_leaves_the_statement_to_another()
    {
        var forgets = false;
        await using var server = new FakeServer(Answer);
        await using var other = new FakeServer(Answer);
        server.Peers.Add(other);
        await using var session = await server.ConnectAsync();
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both are up");
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");

        forgets = true;
        Assert.That((await session.ExecuteAsync(insert.Bind("a"))).Count, Is.Zero, "though it is not idempotent");
        Assert.That(forgets, Is.False);

        Task Answer(FakeConnection connection, FakeRequest request)
        {
            if (request.Opcode == Opcode.Execute && forgets)
                return connection.ErrorAsync(request, ServerErrorCode.Unprepared, body => body.ShortBytes([7]));
            if (request.Opcode != Opcode.Prepare) return connection.VoidAsync(request);
            if (!forgets) return connection.ReplyAsync(request, Opcode.Result, RingRows.Prepared([7], ("id", Text)));
            forgets = false;
            connection.Dispose();
            return Task.CompletedTask;
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Preparing_again_ends_with_the_statement_whether_by_its_deadline_or_by_its_caller(bool cancels)
    {
        var prepares = 0;
        await using var server = new FakeServer((c, r) => r.Opcode switch
        {
            Opcode.Prepare => ++prepares > 1
                ? Task.CompletedTask
                : c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([7], ("id", Text))),
            Opcode.Execute => c.ErrorAsync(r, ServerErrorCode.Unprepared, body => body.ShortBytes([7])),
            _ => c.VoidAsync(r),
        });
        await using var session = await server.ConnectAsync(o => o.RequestTimeout = Long);
        var insert = (await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)")).Bind("a");
        using var cancel = new CancellationTokenSource();
        insert.Timeout = cancels ? Long : TimeSpan.FromSeconds(2);

        var request = session.ExecuteAsync(insert, cancel.Token).AsTask();
        await Eventually.TrueAsync(() => prepares > 1, "it is prepared again");
        if (cancels) await cancel.CancelAsync();

        var failure = Assert.CatchAsync(() => request.WaitAsync(Patience));
        Assert.That((failure as CqlException)?.Code, Is.EqualTo(cancels ? null : "CQ-9004"), failure!.ToString());
        if (cancels) Assert.That(failure, Is.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_node_that_wants_another_authentication_is_told_by_its_name()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { Login = ("anna", "x"), Challenges = true };

        var refused = Assert.CatchAsync<CqlException>(
            () => server.ConnectAsync(o => (o.Username, o.Password) = ("anna", "x")));

        Assert.That(refused!.Code, Is.EqualTo("CQ-0100"));
        Assert.That(refused.Error.Detail, Does.Contain("another authentication: org.apache.cassandra.auth.Password"));
    }

    [Test]
    public async Task A_statement_that_names_a_node_goes_to_that_one_and_to_no_other()
    {
        var there = 0;
        await using var server = new FakeServer((c, r) => c.ErrorAsync(r, ServerErrorCode.IsBootstrapping));
        await using var other = new FakeServer((c, r) => ++there > 0 ? c.VoidAsync(r) : Task.CompletedTask);
        server.Peers.Add(other);
        await using var session = await server.ConnectAsync();
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both are up");
        CqlNode Of(FakeServer one) => session.Nodes.Single(node => node.EndPoint.Equals(one.EndPoint));

        for (var i = 0; i < 5; i++) await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Node = Of(other) });
        Assert.That(there, Is.EqualTo(5));
        var starting = Assert.ThrowsAsync<CqlServerException>(async () =>
            await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Node = Of(server) }));
        Assert.That(starting!.ServerCode, Is.EqualTo(ServerErrorCode.IsBootstrapping), "though another would take it");
        Assert.That(there, Is.EqualTo(5));
    }

    [Test]
    public async Task Requests_under_way_on_a_node_that_leaves_the_ring_go_to_another()
    {
        var held = 0;
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var other = new FakeServer((c, r) =>
        {
            held++;
            return Task.CompletedTask;
        });
        server.Peers.Add(other);
        await using var session = await server.ConnectAsync(o => o.RequestTimeout = Patience);
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both are up");

        var requests = Enumerable.Range(0, 8).Select(_ => session.ExecuteAsync(
            new SimpleStatement("UPDATE t") { Idempotent = true }).AsTask()).ToList();
        await Eventually.TrueAsync(() => held > 0, "some are under way there");
        server.Peers.Clear();
        await server.TellAsync("TOPOLOGY_CHANGE", "REMOVED_NODE", other);

        foreach (var request in requests) Assert.That((await request).Count, Is.Zero);
    }
}
