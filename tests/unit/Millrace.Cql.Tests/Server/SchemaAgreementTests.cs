using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>
/// After a change of the schema, all nodes that the session is connected to must tell the same version.
/// </summary>
public class SchemaAgreementTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly Guid Old = new(1, 0, 0, new byte[8]);
    private static readonly Guid New = new(2, 0, 0, new byte[8]);

    [Test]
    public async Task Nodes_agree_when_all_tell_the_same_version_and_not_before()
    {
        await using var server = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var other = new FakeServer(AnswerAsync) { SchemaVersion = () => Old };
        await using (var hasty = await ConnectAsync(server, other, Short, new LogLines()))
            Assert.That(await hasty.WaitForSchemaAgreementAsync(), Is.False, "one has the old schema");
        other.SchemaVersion = () => New;
        await using var session = await ConnectAsync(server, other, Long, new LogLines());
        Assert.That(await session.WaitForSchemaAgreementAsync(), Is.True);
    }

    [Test]
    public async Task A_node_that_hangs_is_waited_for_no_longer_than_the_timeout()
    {
        using var gate = new ManualResetEventSlim();
        await using var server = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var other = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var session = await ConnectAsync(server, other, Short, new LogLines());
        other.SchemaVersion = () =>
        {
            gate.Wait();
            return New;
        };

        var agreed = session.WaitForSchemaAgreementAsync();
        Assert.That(await agreed.WaitAsync(session.Options.RequestTimeout / 2), Is.False);
        gate.Set();
        Assert.That(await session.WaitForSchemaAgreementAsync(), Is.True);
    }

    [Test]
    public async Task A_node_that_is_down_does_not_count()
    {
        await using var server = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var other = new FakeServer(AnswerAsync) { SchemaVersion = () => Old };
        await using var session = await ConnectAsync(server, other, Long, new LogLines());

        other.Fail();
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 1, "one is down");

        Assert.That(await session.WaitForSchemaAgreementAsync(), Is.True);
    }

    [Test]
    public async Task A_change_of_the_schema_returns_once_the_nodes_agree()
    {
        var (asked, version) = (0, Old);
        await using var server = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var other = new FakeServer(AnswerAsync);
        var log = new LogLines();
        await using var session = await ConnectAsync(server, other, Long, log);
        other.SchemaVersion = () =>
        {
            asked++;
            return version;
        };

        var change = session.ExecuteAsync("CREATE TABLE ks.t (id text PRIMARY KEY)").AsTask();
        await Eventually.TrueAsync(() => asked >= 3, "the node is asked again and again");
        Assert.That(change.IsCompleted, Is.False);
        version = New;

        Assert.That((await change).Count, Is.Zero);
        Assert.That(log.All, Has.None.Contains("CQ-9013"));
    }

    [Test]
    public async Task A_change_on_which_the_nodes_do_not_agree_in_time_returns_too_and_leaves_a_warning()
    {
        await using var server = new FakeServer(AnswerAsync) { SchemaVersion = () => New };
        await using var other = new FakeServer(AnswerAsync) { SchemaVersion = () => Old };
        var log = new LogLines();
        await using var session = await ConnectAsync(server, other, Short, log);

        Assert.That((await session.ExecuteAsync("CREATE TABLE ks.t (id text PRIMARY KEY)")).Count, Is.Zero);

        Assert.That(log.All, Has.One.StartsWith("Warning: CQ-9013").And.Contains("ks.t"));
    }

    private static async Task<CqlSession> ConnectAsync(
        FakeServer server, FakeServer other, TimeSpan timeout, LogLines log)
    {
        if (!server.Peers.Contains(other)) server.Peers.Add(other);
        var session = await server.ConnectAsync(
            o => (o.SchemaAgreementTimeout, o.LoggerFactory) = (timeout, log));
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "both are up");
        return session;
    }

    private static Task AnswerAsync(FakeConnection connection, FakeRequest request) => request.Opcode == Opcode.Query
        ? connection.ReplyAsync(request, Opcode.Result, body =>
        {
            body.Int(5);
            body.String("CREATED");
            body.String("TABLE");
            body.String("ks");
            body.String("t");
        })
        : connection.VoidAsync(request);
}
