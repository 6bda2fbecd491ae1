using System.Net;
using System.Numerics;
using Millrace.Cql;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Cql;

/// <summary>The client against a real node, in each way of speaking to it.</summary>
[TestFixture(5, CqlCompression.None)]
[TestFixture(5, CqlCompression.Lz4)]
[TestFixture(4, CqlCompression.Lz4)]
public class CassandraTests(int version, CqlCompression compression)
{
    private readonly string _suffix = $"{version}_{compression}".ToLowerInvariant();
    private CqlSession _session = null!;

    [OneTimeSetUp]
    public async Task ConnectAsync() => _session = await CassandraNode.ConnectAsync(o =>
    {
        (o.ProtocolVersionMax, o.Compression, o.Keyspace) = (version, compression, "cql_tests");
    });

    [OneTimeTearDown]
    public ValueTask CloseAsync() => _session?.DisposeAsync() ?? default;

    [Test]
    public async Task Every_type_comes_back_as_it_was_written()
    {
        await _session.ExecuteAsync("CREATE TYPE IF NOT EXISTS place (at double, name text)");
        await TableAsync("types", "k int PRIMARY KEY, a ascii, b bigint, c blob, d boolean, e date, f decimal,"
            + " g double, h float, i inet, j int, l list<int>, m map<text, double>, n set<uuid>, o smallint, p text,"
            + " q time, "
            + "r timestamp, s timeuuid, t tinyint, u tuple<int, text>, v frozen<place>, w varint");
        var insert = await _session.PrepareAsync($"INSERT INTO types_{_suffix} (k, a, b, c, d, e, f, g, h, i, j, l, m,"
            + " n, o, p, q, r, s, t, u, v, w) VALUES (?" + string.Concat(Enumerable.Repeat(", ?", 22)) + ")");
        object?[] values =
        [
            1, "ascii", long.MinValue, new byte[] { 0, 255 }, true, new DateOnly(1, 1, 1),
            new CqlDecimal(BigInteger.Pow(7, 60), 31),
            Math.PI, -0.5f, IPAddress.Parse("2001:db8::1"), int.MaxValue, new List<int> { 1, 2, 3 },
            new Dictionary<string, double> { ["x"] = 1.5 }, new HashSet<Guid> { Guid.NewGuid() }, short.MinValue,
            "größer",
            new TimeOnly(23, 59, 59, 999), DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123),
            new Guid("b4c4d1f0-0d7a-11ef-9262-0242ac120002"), sbyte.MinValue, new object?[] { 7, null },
            new Dictionary<string, object?> { ["at"] = 2.5, ["name"] = "x" }, BigInteger.Pow(-3, 99),
        ];

        var bound = insert.Bind();
        foreach (var value in values) bound.Add(value);
        await _session.ExecuteAsync(bound);

        var select = await _session.PrepareAsync($"SELECT {string.Join(", ", insert.Markers.Select(m => m.Name))} "
            + $"FROM types_{_suffix} WHERE k = ?");
        var row = (await _session.ExecuteAsync(select.Bind(1)))[0];
        for (var i = 0; i < values.Length; i++)
            Assert.That(row.Get<object?>(i), Is.EqualTo(values[i]), insert.Markers[i].Type.ToString());
    }

    [Test]
    public async Task Nulls_are_null_and_unset_leaves_what_is_there()
    {
        await TableAsync("nulls", "k int PRIMARY KEY, a text, b int");
        var insert = await _session.PrepareAsync($"INSERT INTO nulls_{_suffix} (k, a, b) VALUES (?, ?, ?)");

        await _session.ExecuteAsync(insert.Bind(1, "a", (int?)5));
        await _session.ExecuteAsync(insert.Bind().Add(1).AddUnset().Add<int?>(null));

        var row = (await _session.ExecuteAsync($"SELECT a, b FROM nulls_{_suffix}"))[0];
        Assert.That((row.Get<string?>("a"), row.Get<int?>("b"), row.IsNull(1)), Is.EqualTo(("a", (int?)null, true)));
    }

    [Test]
    public async Task Rows_are_read_page_by_page()
    {
        await TableAsync("pages", "k int, n int, PRIMARY KEY (k, n)");
        var insert = await _session.PrepareAsync($"INSERT INTO pages_{_suffix} (k, n) VALUES (?, ?)");
        for (var start = 0; start < 1_000; start += 100)
        {
            var batch = BatchStatement.Rent();
            for (var n = start; n < start + 100; n++) batch.Add(insert.Bind(1, n));
            await _session.ExecuteAsync(batch);
        }

        var select = await _session.PrepareAsync($"SELECT n FROM pages_{_suffix} WHERE k = ?");
        var (read, statement) = (new List<int>(), select.Bind(1));
        statement.PageSize = 70;
        await foreach (var row in _session.QueryAsync(statement)) read.Add(row.Get<int>(0));

        Assert.That(read, Is.EqualTo(Enumerable.Range(0, 1_000)));
    }

    [Test]
    public async Task Large_values_go_and_come_in_many_frames()
    {
        await TableAsync("large", "k int PRIMARY KEY, body blob");
        var body = new byte[3_000_000];
        new Random(1).NextBytes(body);
        var insert = await _session.PrepareAsync($"INSERT INTO large_{_suffix} (k, body) VALUES (?, ?)");

        await _session.ExecuteAsync(insert.Bind(1, body));

        var row = (await _session.ExecuteAsync($"SELECT body FROM large_{_suffix} WHERE k = ?", 1))[0];
        Assert.That(row.Bytes(0).SequenceEqual(body), Is.True);
    }

    [Test]
    public async Task Tokens_are_those_of_the_server()
    {
        await TableAsync("tokens", "a text, b int, n int, PRIMARY KEY ((a, b), n)");
        var insert = await _session.PrepareAsync($"INSERT INTO tokens_{_suffix} (n, b, a) VALUES (?, ?, ?)");
        var random = new Random(1);
        var expected = new Dictionary<(string, int), long>();
        for (var i = 0; i < 200; i++)
        {
            var (a, b) = (new string('ä', random.Next(40)) + i, random.Next());
            var bound = insert.Bind(i, b, a);
            Assert.That(bound.TryGetToken(out var token), Is.True);
            expected[(a, b)] = token;
            await _session.ExecuteAsync(bound);
        }

        var rows = await _session.ExecuteAsync($"SELECT a, b, token(a, b) FROM tokens_{_suffix}");
        Assert.That(rows.ToDictionary(row => (row.Get<string>(0), row.Get<int>(1)), row => row.Get<long>(2)),
            Is.EquivalentTo(expected));
    }

    [Test]
    public async Task A_column_that_is_added_is_in_the_rows_of_a_statement_that_was_prepared_before()
    {
        await TableAsync("changes", "k int PRIMARY KEY, a int");
        await _session.ExecuteAsync($"INSERT INTO changes_{_suffix} (k, a) VALUES (1, 2)");
        var select = await _session.PrepareAsync($"SELECT * FROM changes_{_suffix} WHERE k = ?");
        Assert.That((await _session.ExecuteAsync(select.Bind(1))).Columns, Has.Count.EqualTo(2));

        await _session.ExecuteAsync($"ALTER TABLE changes_{_suffix} ADD b text");
        await _session.ExecuteAsync($"UPDATE changes_{_suffix} SET b = 'x' WHERE k = 1");

        var row = (await _session.ExecuteAsync(select.Bind(1)))[0];
        Assert.That((row.Get<int>("a"), row.Get<string>("b")), Is.EqualTo((2, "x")));
    }

    [Test]
    public async Task Compare_and_set_says_whether_it_took_effect()
    {
        await TableAsync("cas", "k int PRIMARY KEY, v int");
        var insert = await _session.PrepareAsync($"INSERT INTO cas_{_suffix} (k, v) VALUES (?, ?) IF NOT EXISTS");

        Assert.That((await _session.ExecuteAsync(insert.Bind(1, 1))).Applied, Is.True);
        var second = await _session.ExecuteAsync(insert.Bind(1, 2));
        Assert.That((second.Applied, second[0].Get<int>("v")), Is.EqualTo((false, 1)));
    }

    [Test]
    public async Task The_later_timestamp_wins_whatever_comes_last()
    {
        await TableAsync("times", "k int PRIMARY KEY, v int");
        var insert = await _session.PrepareAsync($"INSERT INTO times_{_suffix} (k, v) VALUES (?, ?)");
        var (first, second) = (insert.Bind(1, 1), insert.Bind(1, 2));
        (first.Timestamp, second.Timestamp) = (2_000, 1_000);

        await _session.ExecuteAsync(first);
        await _session.ExecuteAsync(second);

        var row = (await _session.ExecuteAsync($"SELECT v, writetime(v) FROM times_{_suffix}"))[0];
        Assert.That((row.Get<int>(0), row.Get<long>(1)), Is.EqualTo((1, 2_000L)));
    }

    [Test]
    public async Task Errors_are_typed_after_the_server_s_codes()
    {
        await TableAsync("errors", "k int PRIMARY KEY");
        Assert.That(await CodeAsync("SELECT FROM"), Is.EqualTo(ServerErrorCode.SyntaxError));
        Assert.That(await CodeAsync("SELECT x FROM nowhere"), Is.EqualTo(ServerErrorCode.Invalid));
        var exists = Assert.ThrowsAsync<CqlAlreadyExistsException>(async () =>
            await _session.ExecuteAsync($"CREATE TABLE errors_{_suffix} (k int PRIMARY KEY)"));
        Assert.That((exists!.Keyspace, exists.Table), Is.EqualTo(("cql_tests", $"errors_{_suffix}")));
        var statement = new SimpleStatement($"INSERT INTO errors_{_suffix} (k) VALUES (1)");
        statement.Consistency = Consistency.Three;
        var unavailable = Assert.ThrowsAsync<CqlUnavailableException>(
            async () => await _session.ExecuteAsync(statement));
        Assert.That((unavailable!.Required, unavailable.Alive), Is.EqualTo((3, 1)));

        async Task<ServerErrorCode> CodeAsync(string text)
        {
            await Task.Yield();
            return Assert.ThrowsAsync<CqlServerException>(async () => await _session.ExecuteAsync(text))!.ServerCode;
        }
    }

    [Test]
    public async Task A_traced_statement_can_be_looked_up()
    {
        await TableAsync("traces", "k int PRIMARY KEY");
        var statement = new SimpleStatement($"SELECT * FROM traces_{_suffix}") { Tracing = true };

        var id = (await _session.ExecuteAsync(statement)).TracingId;

        Assert.That(id, Is.Not.Null);
        await Eventually.TrueAsync(async () => (await _session.ExecuteAsync(new SimpleStatement(
            "SELECT command FROM system_traces.sessions WHERE session_id = ?", id)
        { Consistency = Consistency.One }))
            .Count == 1, "the trace is stored");
    }

    [Test]
    public async Task A_large_batch_brings_the_server_s_warning()
    {
        await TableAsync("warnings", "k int, n int, body blob, PRIMARY KEY (k, n)");
        var insert = await _session.PrepareAsync($"INSERT INTO warnings_{_suffix} (k, n, body) VALUES (?, ?, ?)");
        var batch = BatchStatement.Rent();
        for (var n = 0; n < 30; n++) batch.Add(insert.Bind(n, 1, new byte[1_000]));

        var result = await _session.ExecuteAsync(batch);

        Assert.That(result.Warnings, Is.Not.Empty);
    }

    [Test]
    public async Task Thousands_of_writes_at_a_time_are_all_there()
    {
        await TableAsync("many", "k int PRIMARY KEY, v int");
        var insert = await _session.PrepareAsync($"INSERT INTO many_{_suffix} (k, v) VALUES (?, ?)");

        await Task.WhenAll(Enumerable.Range(0, 10_000).Select(k => _session.ExecuteAsync(insert.Bind(k, -k)).AsTask()));

        var sum = 0L;
        await foreach (var row in _session.QueryAsync(new SimpleStatement($"SELECT k, v FROM many_{_suffix}")))
            sum += row.Get<int>(0) - (row.Get<int>(1) * 2L) + 1;
        Assert.That(sum, Is.EqualTo((3L * 10_000 * 9_999 / 2) + 10_000));
    }

    private ValueTask<RowSet> TableAsync(string name, string columns) =>
        _session.ExecuteAsync($"CREATE TABLE IF NOT EXISTS {name}_{_suffix} ({columns})");
}
