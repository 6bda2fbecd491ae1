using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Upgrades;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The tables of a keyspace, made by one process or by several at once.</summary>
public class CassandraMigrationTests
{
    private const string Keyspace = "migration_tests";

    private static readonly Migration
        One = new("one", "CREATE TABLE IF NOT EXISTS one(id int PRIMARY KEY)"),
        Two = new("two", "CREATE TABLE IF NOT EXISTS two(id int PRIMARY KEY)"),
        Drop = new("no more one", "DROP TABLE IF EXISTS one") { AtFinalise = true };

    private CqlSession _session = null!;

    [SetUp]
    public async Task MakeAsync()
    {
        await CassandraNode.MakeKeyspaceAsync(Keyspace);
        _session = await CassandraNode.ConnectNowAsync(o => o.Keyspace = Keyspace);
    }

    [TearDown]
    public async Task EndAsync()
    {
        if (_session is not null) await _session.DisposeAsync();
    }

    [Test]
    public async Task Processes_that_start_at_once_make_the_tables_once()
    {
        Migration[] steps =
        [
            new("one", "CREATE TABLE one(id int PRIMARY KEY)"),
            new("two", "CREATE TABLE two(id int PRIMARY KEY)", "ALTER TABLE two ADD more text"),
        ];

        // Each statement can be executed once only, so that a second execution would throw.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var own = await CassandraNode.ConnectNowAsync(o => o.Keyspace = Keyspace);
            await MigratorOf(own, steps).RunAsync(CancellationToken.None);
            await own.ExecuteAsync("INSERT INTO two(id, more) VALUES(1, 'x')");
        }));

        var rows = await _session.ExecuteAsync("SELECT number, name FROM migrations WHERE scope = 'schema'");
        Assert.That(rows.Select(row => row.Get<string>(1)), Is.EqualTo(new[] { "one", "two" }));
    }

    [Test]
    public async Task A_process_that_died_in_between_leaves_the_rest_to_the_next()
    {
        Migration broken = new("both", "CREATE TABLE IF NOT EXISTS one(id int PRIMARY KEY)", "CREATE NONSENSE");
        Assert.ThrowsAsync<CqlServerException>(() => MigratorOf(_session, [broken]).RunAsync(CancellationToken.None));
        await _session.ExecuteAsync("DELETE FROM migration_lock WHERE id = 0 IF EXISTS");

        Migration whole = new("both", broken.Statements[0], "CREATE TABLE IF NOT EXISTS two(id int PRIMARY KEY)");
        await MigratorOf(_session, [whole]).RunAsync(CancellationToken.None);

        Assert.That((await _session.ExecuteAsync("SELECT id FROM two")).Count, Is.Zero);
    }

    [Test]
    public async Task An_older_version_works_with_a_newer_schema_until_the_upgrade_is_finalised()
    {
        await MigratorOf(_session, [One]).RunAsync(CancellationToken.None);
        await MigratorOf(_session, [One, Two]).RunAsync(CancellationToken.None);
        await MigratorOf(_session, [One]).RunAsync(CancellationToken.None);
        Assert.That(Code(() => MigratorOf(_session, [One]).FinaliseAsync(CancellationToken.None)),
            Is.EqualTo("ST-0011"));
        Assert.That(await MigratorOf(_session, [One]).ReadAsync(CancellationToken.None),
            Is.EqualTo(new UpgradeState(Schema: 2, Known: 1, Finalised: 1)));

        Assert.That(await MigratorOf(_session, [One, Two]).FinaliseAsync(CancellationToken.None),
            Is.EqualTo(new UpgradeState(Schema: 2, Known: 2, Finalised: 2)));
        Assert.That(Code(() => MigratorOf(_session, [One]).RunAsync(CancellationToken.None)), Is.EqualTo("ST-0005"));
    }

    [Test]
    public async Task A_step_that_the_older_version_cannot_do_with_waits_and_later_ones_do_not()
    {
        await MigratorOf(_session, [One]).RunAsync(CancellationToken.None);
        Migration[] newer = [One, Drop, Two];
        await MigratorOf(_session, newer).RunAsync(CancellationToken.None);
        await MigratorOf(_session, newer).RunAsync(CancellationToken.None);
        await _session.ExecuteAsync("INSERT INTO one(id) VALUES(1)");
        await _session.ExecuteAsync("INSERT INTO two(id) VALUES(1)");

        await MigratorOf(_session, newer).FinaliseAsync(CancellationToken.None);
        Assert.That(await TablesAsync(), Is.EquivalentTo(new[] { "migrations", "migration_lock", "two" }));
    }

    [Test]
    public async Task A_finalisation_that_died_in_between_is_completed_at_the_next_start()
    {
        Migration broken = Drop with { Statements = ["DROP NONSENSE"] };
        await MigratorOf(_session, [One]).RunAsync(CancellationToken.None);
        Assert.ThrowsAsync<CqlServerException>(
            () => MigratorOf(_session, [One, broken]).FinaliseAsync(CancellationToken.None));
        Assert.That(Code(() => MigratorOf(_session, [One]).RunAsync(CancellationToken.None)), Is.EqualTo("ST-0005"));
        await _session.ExecuteAsync("DELETE FROM migration_lock WHERE id = 0 IF EXISTS");

        await MigratorOf(_session, [One, Drop]).RunAsync(CancellationToken.None);
        Assert.That(await TablesAsync(), Is.EquivalentTo(new[] { "migrations", "migration_lock" }));
    }

    [Test]
    public async Task A_new_keyspace_has_all_steps_and_no_older_version()
    {
        await MigratorOf(_session, [One, Drop, Two]).RunAsync(CancellationToken.None);
        Assert.That(await TablesAsync(), Is.EquivalentTo(new[] { "migrations", "migration_lock", "two" }));
        Assert.That(Code(() => MigratorOf(_session, [One, Drop]).RunAsync(CancellationToken.None)),
            Is.EqualTo("ST-0005"));
    }

    private static string Code(Func<Task> run) =>
        Assert.ThrowsAsync<MillraceException>(run)!.Error.Code;

    private async Task<List<string>> TablesAsync()
    {
        var rows = await _session.ExecuteAsync(new SimpleStatement(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", Keyspace));
        return [.. rows.Select(row => row.Get<string>(0))];
    }

    private static Migrator MigratorOf(CqlSession session, Migration[] steps) =>
        new(session, Keyspace, steps, TimeProvider.System, NullLogger.Instance);
}
