using Millrace.Cql;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Cql;

/// <summary>What this client writes, the Python driver reads, and the other way round.</summary>
public class OtherDriverTests
{
    private const string Types = "a ascii, b bigint, c blob, d boolean, e date, f decimal, g double, h float, i inet, "
        + "j int, l list<int>, m map<text, double>, n set<uuid>, o smallint, p text, q time, r timestamp, s timeuuid, "
        + "t tinyint, u tuple<int, text>, v frozen<spot>, w varint";

    // Writes row 2 with these values, and prints what it reads of row 1, which must be the same.
    private const string Script = """
        import sys, uuid, datetime, decimal
        from cassandra.cluster import Cluster
        from cassandra.util import Date, Time
        from collections import namedtuple
        Spot = namedtuple('Spot', ['at', 'name'])
        cluster = Cluster([sys.argv[1]], port=int(sys.argv[2]), protocol_version=5)
        session = cluster.connect('cql_tests')
        cluster.register_user_type('cql_tests', 'spot', Spot)
        values = ('ascii', -2**63, bytes([0, 255]), True, Date('1066-10-14'),
                  decimal.Decimal('-123456789012345678901234567890.125'),
                  3.25, -0.5, '2001:db8::1', 2**31 - 1, [1, 2, 3], {'x': 1.5}, {uuid.UUID(int=5)}, -2**15, 'größer',
                  Time(86399999000000), datetime.datetime(2023, 11, 14, 22, 13, 20, 123000),
                  uuid.UUID('b4c4d1f0-0d7a-11ef-9262-0242ac120002'), -128, (7, None), Spot(2.5, 'x'), -3**99)
        columns = 'a, b, c, d, e, f, g, h, i, j, l, m, n, o, p, q, r, s, t, u, v, w'
        insert = session.prepare('INSERT INTO other (k, %s) VALUES (2%s)' % (columns, ', ?' * len(values)))
        session.execute(insert, values)
        row = session.execute('SELECT %s FROM other WHERE k = 1' % columns).one()
        for name, got, wanted in zip(columns.split(', '), row, values):
            if isinstance(got, dict) or hasattr(got, 'items'): got = dict(got.items())
            if name == 'n': got = set(got)
            if got != wanted: print('%s: %r is not %r' % (name, got, wanted))
        cluster.shutdown()
        print('compared')
        """;

    [Test]
    public async Task The_Python_driver_reads_what_we_write_and_we_read_what_it_writes()
    {
        var python = Tool.Find("python3") is null ? null : new Tool("/usr/bin/python3");
        if (python is null || (await python.RunAsync("-c", "import cassandra")).ExitCode != 0)
            Assert.Ignore("Install Debian's python3-cassandra.");
        var servers = await CassandraNode.ServersAsync();
        await using var session = await CassandraNode.ConnectAsync(o => o.Keyspace = "cql_tests");
        await session.ExecuteAsync("CREATE TYPE IF NOT EXISTS spot (at double, name text)");
        await session.ExecuteAsync($"CREATE TABLE IF NOT EXISTS other (k int PRIMARY KEY, {Types})");
        var insert = await session.PrepareAsync("INSERT INTO other (k, a, b, c, d, e, f, g, h, i, j, l, m, n, o, p, q,"
            + " r, s, t, u, v, w) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        var bound = insert.Bind();
        foreach (var value in Values()) bound.Add(value);
        await session.ExecuteAsync(bound);

        var (code, output) = await python!.RunAsync(
            "-c", Script, servers.ContactPoints.Split(',')[0], $"{servers.Port}");

        Assert.That((code, output.Trim()), Is.EqualTo((0, "compared")));
        var row = (await session.ExecuteAsync("SELECT a, b, c, d, e, f, g, h, i, j, l, m, n, o, p, q, r, s, t, u, v, w "
            + "FROM other WHERE k = 2"))[0];
        var values = Values();
        for (var i = 0; i < values.Length; i++)
            Assert.That(row.Get<object?>(i), Is.EqualTo(values[i]), insert.Markers[i].Name);
    }

    private static object?[] Values() =>
    [
        "ascii", long.MinValue, new byte[] { 0, 255 }, true, new DateOnly(1066, 10, 14),
        new CqlDecimal(-System.Numerics.BigInteger.Parse("123456789012345678901234567890125"), 3), 3.25, -0.5f,
        System.Net.IPAddress.Parse("2001:db8::1"), int.MaxValue, new List<int> { 1, 2, 3 },
        new Dictionary<string, double> { ["x"] = 1.5 },
        new HashSet<Guid> { new("00000000-0000-0000-0000-000000000005") }, short.MinValue, "größer",
        new TimeOnly(23, 59, 59).Add(TimeSpan.FromMilliseconds(999)),
        DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), new Guid("b4c4d1f0-0d7a-11ef-9262-0242ac120002"),
        sbyte.MinValue, new object?[] { 7, null }, new Dictionary<string, object?> { ["at"] = 2.5, ["name"] = "x" },
        System.Numerics.BigInteger.Pow(-3, 99),
    ];
}
