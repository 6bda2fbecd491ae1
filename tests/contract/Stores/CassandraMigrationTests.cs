using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Schema;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The tables of a keyspace, made by one process or by several at once.</summary>
public class CassandraMigrationTests
{
    private const string Keyspace = "migration_tests";
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
    public async Task A_keyspace_of_a_newer_version_is_refused()
    {
        Migration one = new("one", "CREATE TABLE IF NOT EXISTS one(id int PRIMARY KEY)");
        Migration two = new("two", "CREATE TABLE IF NOT EXISTS two(id int PRIMARY KEY)");
        await MigratorOf(_session, [one, two]).RunAsync(CancellationToken.None);

        var refused = Assert.ThrowsAsync<MillraceException>(
            () => MigratorOf(_session, [one]).RunAsync(CancellationToken.None));
        Assert.That(refused!.Error.Code, Is.EqualTo("ST-0005"));
    }

    private static Migrator MigratorOf(CqlSession session, Migration[] steps) =>
        new(session, Keyspace, steps, TimeProvider.System, NullLogger.Instance);
}
