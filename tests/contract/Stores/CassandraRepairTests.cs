using Millrace.Cql;
using Millrace.Stores.Cassandra.Repairs;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What a cluster's own history says of the repairs of a keyspace.</summary>
public class CassandraRepairTests
{
    private const string Keyspace = "repair_tests";
    private static readonly DateTimeOffset Migrated = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private CqlSession _session = null!;

    [SetUp]
    public async Task MakeAsync()
    {
        await CassandraNode.MakeKeyspaceAsync(Keyspace);
        _session = await CassandraNode.ConnectNowAsync(o => (o.Keyspace, o.Consistency) = (Keyspace, Consistency.One));
        await _session.ExecuteAsync("CREATE TABLE migrations(scope text, number int, name text, applied_at timestamp, "
            + "PRIMARY KEY(scope, number))");
        await _session.ExecuteAsync(
            "INSERT INTO migrations(scope, number, applied_at) VALUES('schema', 1, ?)", Migrated);
        await _session.ExecuteAsync("CREATE TABLE devices(id text PRIMARY KEY)");
    }

    [TearDown]
    public async Task EndAsync()
    {
        if (_session is not null) await _session.DisposeAsync();
    }

    [Test]
    public async Task A_keyspace_with_one_copy_of_each_row_needs_none() => Assert.That(await SinceAsync(), Is.Null);

    /// <summary>A node repairs a part and another the rest: not of one table only, nor of another keyspace.</summary>
    [Test]
    public async Task All_parts_of_all_tables_count()
    {
        await _session.ExecuteAsync($"ALTER KEYSPACE {Keyspace} WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 2}");
        Assert.That(await SinceAsync(), Is.EqualTo(Migrated));

        await RepairAsync(Keyspace, 2, ["devices", "migrations"], "(-100,100]", "(500,-100]");
        await RepairAsync(Keyspace, 3, ["devices"], "(100,500]");
        await RepairAsync("another", 3, ["devices", "migrations"], "(100,500]");
        await StartAsync();
        Assert.That(await SinceAsync(), Is.EqualTo(Migrated));

        await RepairAsync(Keyspace, 4, ["devices", "migrations"], "(100,500]");
        Assert.That(await SinceAsync(), Is.EqualTo(Migrated.AddDays(2)));
    }

    private Task<DateTimeOffset?> SinceAsync() =>
        RepairWatch.WholeSinceAsync(_session, Keyspace, CancellationToken.None);

    private async Task RepairAsync(string keyspace, int day, HashSet<string> tables, params string[] ranges) =>
        await _session.ExecuteAsync("INSERT INTO system_distributed.parent_repair_history(parent_id, keyspace_name, "
            + "columnfamily_names, started_at, finished_at, requested_ranges, successful_ranges) "
            + "VALUES(now(), ?, ?, ?, ?, ?, ?)",
            keyspace, tables, Migrated, Migrated.AddDays(day), ranges.ToHashSet(), ranges.ToHashSet());

    /// <summary>One that has not ended.</summary>
    private async Task StartAsync() => await _session.ExecuteAsync(
        "INSERT INTO system_distributed.parent_repair_history(parent_id, keyspace_name, columnfamily_names, "
        + "started_at, requested_ranges) VALUES(now(), ?, {'devices', 'migrations'}, ?, {'(100,500]'})",
        Keyspace, Migrated);
}
