using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>What a statement bears: other columns, other ids, refusals, many pages.</summary>
public class ScriptedStatementTests
{
    private static readonly CqlType Text = new(CqlTypeCode.Text);
    private static readonly CqlType Int = new(CqlTypeCode.Int);

    [Test]
    public async Task Rows_come_over_every_kind_of_connection(
        [Values(4, 5)] int version, [Values] CqlCompression compression, [Values] bool overTls)
    {
        var rows = Enumerable.Range(0, 50_000).Select(i => new object?[] { $"device-{i}", i }).ToArray();
        await using var server = new FakeServer((c, r) =>
            c.ReplyAsync(r, Opcode.Result, RingRows.Rows([("id", Text), ("n", Int)], rows)))
        { VersionMax = version, IsSecure = overTls };
        await using var session = await server.ConnectAsync(o => o.Compression = compression);

        var read = await session.ExecuteAsync("SELECT id, n FROM t");

        Assert.That(read, Has.Count.EqualTo(rows.Length));
        Assert.That(read.Select(row => (row.Get<string>("id"), row.Get<int>("n"))),
            Is.EqualTo(rows.Select(row => ((string)row[0]!, (int)row[1]!))));
    }

    [Test]
    public async Task A_statement_that_the_node_forgot_is_prepared_again_and_executed()
    {
        var (executed, prepared) = (0, 0);
        byte[] id = [7, 7, 7];
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode == Opcode.Prepare)
            {
                prepared++;
                return c.ReplyAsync(r, Opcode.Result, RingRows.Prepared(id, ("id", Text)));
            }

            return ++executed == 1
                ? c.ErrorAsync(r, ServerErrorCode.Unprepared, body => body.ShortBytes(id))
                : c.VoidAsync(r);
        });
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");

        await session.ExecuteAsync(insert.Bind("a"));

        Assert.That((executed, prepared), Is.EqualTo((2, 2)));
    }

    [Test]
    public async Task A_statement_that_gets_another_id_when_it_is_prepared_again_fails_clearly()
    {
        byte id = 0;
        await using var server = new FakeServer((c, r) => r.Opcode == Opcode.Prepare
            ? c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([++id], ("id", Text)))
            : c.ErrorAsync(r, ServerErrorCode.Unprepared, body => body.ShortBytes([1])));
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");

        var failure = Assert.ThrowsAsync<CqlException>(async () => await session.ExecuteAsync(insert.Bind("a")));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9011"), failure.ToString());
    }

    [TestCase(true, 3)]
    [TestCase(false, 1)]
    public async Task An_overloaded_node_is_asked_again_only_for_what_may_be_repeated(bool idempotent, int tries)
    {
        var asked = 0;
        await using var server = new FakeServer((c, r) =>
        {
            asked++;
            return c.ErrorAsync(r, ServerErrorCode.Overloaded);
        });
        await using var other = new FakeServer((c, r) =>
        {
            asked++;
            return c.ErrorAsync(r, ServerErrorCode.Overloaded);
        });
        server.Peers.Add(other);
        await using var session = await server.ConnectAsync();

        var statement = new SimpleStatement("UPDATE t") { Idempotent = idempotent };
        var failure = Assert.ThrowsAsync<CqlServerException>(async () => await session.ExecuteAsync(statement));

        Assert.That(failure!.ServerCode, Is.EqualTo(ServerErrorCode.Overloaded));
        Assert.That(asked, Is.EqualTo(Math.Min(tries, 2)), "each node once");
    }

    [Test]
    public async Task A_write_that_timed_out_is_sent_again_when_it_is_idempotent()
    {
        var asked = 0;
        await using var server = new FakeServer((c, r) => ++asked < 3
            ? c.ErrorAsync(r, ServerErrorCode.WriteTimeout, TimedOut)
            : c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Idempotent = true });
        Assert.That(asked, Is.EqualTo(3));

        asked = 0;
        var failure = Assert.ThrowsAsync<CqlReplicaException>(async () => await session.ExecuteAsync("UPDATE t"));
        Assert.That(asked, Is.EqualTo(1));
        Assert.That(failure!.Answers, Is.EqualTo(new ReplicaAnswers(Consistency.LocalQuorum, 1, 2)
        {
            WriteType = "SIMPLE",
            Failures = failure.Answers.Failures,
        }));

        static void TimedOut(WireBuffer body)
        {
            body.Short((int)Consistency.LocalQuorum);
            body.Int(1);
            body.Int(2);
            body.String("SIMPLE");
        }
    }

    [Test]
    public async Task Pages_are_read_one_after_the_other()
    {
        var asked = new List<byte[]>();
        await using var server = new FakeServer((c, r) =>
        {
            asked.Add(r.Body);
            byte[]? next = asked.Count < 3 ? [(byte)asked.Count, 0xAB] : null;
            return c.ReplyAsync(r, Opcode.Result, RingRows.Rows([("n", Int)], [[asked.Count], [-asked.Count]], next));
        });
        await using var session = await server.ConnectAsync();

        var read = new List<int>();
        await foreach (var row in session.QueryAsync(new SimpleStatement("SELECT n FROM t") { PageSize = 2 }))
            read.Add(row.Get<int>(0));

        Assert.That(read, Is.EqualTo(new[] { 1, -1, 2, -2, 3, -3 }));
        byte[] state = [0, 0, 0, 2, 2, 0xAB];
        Assert.That(asked[2].AsSpan().IndexOf(state), Is.GreaterThan(0), "the state of page 2 is sent");
    }

    [Test]
    public async Task Warnings_and_the_tracing_id_come_with_the_answer()
    {
        var id = Guid.NewGuid();
        await using var server = new FakeServer((c, r) => c.ReplyAsync(r, Opcode.Result, body =>
        {
            body.Raw(id.ToByteArray(bigEndian: true));
            body.Short(1);
            body.String("Batch is too large");
            body.Int(1);
        }, r.Header.Flags | EnvelopeFlags.Warning));
        await using var session = await server.ConnectAsync();

        var result = await session.ExecuteAsync(new SimpleStatement("UPDATE t") { Tracing = true });

        Assert.That(result.TracingId, Is.EqualTo(id));
        Assert.That(result.Warnings, Is.EqualTo(new[] { "Batch is too large" }));
    }

    [Test]
    public async Task A_statement_is_executed_once()
    {
        await using var server = new FakeServer((c, r) => r.Opcode == Opcode.Prepare
            ? c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([1], ("id", Text), ("n", Int)))
            : c.VoidAsync(r));
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id, n) VALUES (?, ?)");

        var bound = insert.Bind("a", 1);
        await session.ExecuteAsync(bound);

        Assert.That(Code(() => session.ExecuteAsync(bound)), Is.EqualTo("CQ-9010"));
        Assert.That(Code(() => session.ExecuteAsync(insert.Bind("a"))), Is.EqualTo("CQ-9010"));
        Assert.That(Code(() => session.ExecuteAsync(BatchStatement.Rent())), Is.EqualTo("CQ-9010"));
        Assert.That(Code(() => session.ExecuteAsync(insert.Bind("a", "b"))), Is.EqualTo("CQ-9007"));

        static string Code(Func<ValueTask<RowSet>> act) =>
            Assert.ThrowsAsync<CqlException>(async () => await act())!.Code;
    }
}
