using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Observability;

/// <summary>Each thing that the client counts; <see cref="TelemetryTests"/> has the duration.</summary>
[NonParallelizable]
public class MeterTests
{
    private const string Connections = "db.client.connection.count";
    private static readonly CqlType Text = new(CqlTypeCode.Text);

    [TestCase(null)]
    [TestCase("ks")]
    public async Task Connections_are_counted_by_their_pool_and_as_idle_or_used(string? keyspace)
    {
        FakeRequest? held = null;
        using var meters = new Meters();
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode != Opcode.Query || !r.Text.StartsWith("SELECT")) return c.VoidAsync(r);
            held = r;
            return Task.CompletedTask;
        });
        var session = await server.ConnectAsync(o => (o.Keyspace, o.ConnectionsPerNode) = (keyspace, 2));
        await Eventually.TrueAsync(() => Counted() == (2, 0), "both are idle");

        var request = session.ExecuteAsync("SELECT 1").AsTask();
        await Eventually.TrueAsync(() => Counted() == (1, 1), "one is used");
        foreach (var connection in server.Connections.Where(c => !c.IsControl)) await connection.VoidAsync(held!);
        await request;
        await Eventually.TrueAsync(() => Counted() == (2, 0), "both are idle again");

        await session.DisposeAsync();
        await Eventually.TrueAsync(() => Counted() == (0, 0), "both are closed");
        Assert.That(meters.Of(Connections).Select(one => string.Join(' ', one.Tags.Keys.Order())),
            Is.All.EqualTo("db.client.connection.pool.name db.client.connection.state"));

        (double Idle, double Used) Counted()
        {
            var pool = ("db.client.connection.pool.name",
                keyspace is null ? (object)$"{server.EndPoint}" : $"{server.EndPoint}/{keyspace}");
            return (meters.Sum(Connections, pool, ("db.client.connection.state", "idle")),
                meters.Sum(Connections, pool, ("db.client.connection.state", "used")));
        }
    }

    [Test]
    public async Task Connections_that_are_lost_or_cannot_be_made_are_counted_by_node()
    {
        using var meters = new Meters();
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        server.Fail();

        await Eventually.TrueAsync(
            () => meters.Sum("millrace.cql.connection.failures", ("server.address", "127.0.0.1")) >= 3,
            "the loss and some tries are counted");
    }

    [Test]
    public async Task Requests_that_are_sent_again_are_counted_by_the_reason()
    {
        using var meters = new Meters();
        var asked = 0;
        await using var server = new FakeServer((c, r) => ++asked > 1
            ? c.VoidAsync(r)
            : c.ErrorAsync(r, ServerErrorCode.WriteTimeout, body =>
            {
                body.Short((int)Consistency.LocalQuorum);
                body.Int(1);
                body.Int(2);
                body.String("SIMPLE");
            }));
        await using var session = await server.ConnectAsync();

        await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Idempotent = true });

        Assert.That(meters.Sum("millrace.cql.retries", ("reason", "CQ-1100")), Is.EqualTo(1));
        Assert.That(meters.Sum("millrace.cql.retries"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_request_that_no_other_node_can_take_was_not_sent_again()
    {
        using var meters = new Meters();
        await using var server = new FakeServer((c, r) => c.ErrorAsync(r, ServerErrorCode.Overloaded, _ => { }));
        await using var session = await server.ConnectAsync();

        Assert.That(async () => await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Idempotent = true }),
            Throws.InstanceOf<CqlException>());

        Assert.That(meters.Sum("millrace.cql.retries"), Is.Zero);
    }

    [Test]
    public async Task Statements_that_a_node_has_forgotten_are_counted()
    {
        using var meters = new Meters();
        var asked = 0;
        await using var server = new FakeServer((c, r) => r.Opcode == Opcode.Prepare
            ? c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([7], ("id", Text)))
            : ++asked > 1 ? c.VoidAsync(r) : c.ErrorAsync(r, ServerErrorCode.Unprepared, body => body.ShortBytes([7])));
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");

        await session.ExecuteAsync(insert.Bind("a"));

        Assert.That(meters.Sum("millrace.cql.reprepared"), Is.EqualTo(1));
    }

    [Test]
    public async Task Requests_that_are_given_up_are_counted_whether_by_their_deadline_or_by_their_caller()
    {
        using var meters = new Meters();
        var asked = 0;
        await using var server = new FakeServer((c, r) =>
        {
            asked++;
            return Task.CompletedTask;
        });
        await using var session = await server.ConnectAsync();
        using var cancel = new CancellationTokenSource();

        Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync(
            new SimpleStatement("SELECT 1") { Timeout = TimeSpan.FromMilliseconds(100) }));
        Assert.That(meters.Sum("millrace.cql.streams.orphaned"), Is.EqualTo(1));

        var request = session.ExecuteAsync(new SimpleStatement("SELECT 1"), cancel.Token).AsTask();
        await Eventually.TrueAsync(() => asked == 2, "the request arrives");
        await cancel.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => request);
        Assert.That(meters.Sum("millrace.cql.streams.orphaned"), Is.EqualTo(2));
    }

    [Test]
    public async Task Connections_that_break_the_protocol_are_counted()
    {
        using var meters = new Meters();
        await using var server = new FakeServer((c, r) => c.SendAsync(4711, Opcode.Result, body => body.Int(1)));
        await using var session = await server.ConnectAsync();

        Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync("SELECT 1"));

        Assert.That(meters.Sum("millrace.cql.protocol.violations"), Is.EqualTo(1));
    }

    [Test]
    public async Task Warnings_are_counted()
    {
        using var meters = new Meters();
        await using var server = new FakeServer((c, r) => c.ReplyAsync(r, Opcode.Result, body =>
        {
            body.Short(2);
            body.String("Batch is too large");
            body.String("Tombstones are many");
            body.Int(1);
        }, EnvelopeFlags.Warning));
        await using var session = await server.ConnectAsync();

        await session.ExecuteAsync("UPDATE t");

        Assert.That(meters.Sum("millrace.cql.warnings"), Is.EqualTo(2));
    }
}
