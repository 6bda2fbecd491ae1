using Microsoft.Data.Sqlite;
using Millrace.Primitives;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Stores.Tests.Sqlite;

public class SqliteDatabaseTests
{
    private static readonly Migration First = new("first", "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    private static readonly Migration Second = new("second", "ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'x'");
    private static readonly Migration Broken = new("broken", "CREATE TABLE u(a); CREATE TABLE t(a)");

    private TemporaryFolder _folder = null!;

    private string File => _folder.Sub("test.db");

    [SetUp]
    public void Make() => _folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task Work_that_fails_leaves_nothing()
    {
        using var database = Open([First]);
        Assert.ThrowsAsync<InvalidOperationException>(async () => await database.WriteAsync(session =>
        {
            session.Run("INSERT INTO t(a) VALUES(1)");
            throw new InvalidOperationException();
        }, default));

        Assert.That(await CountAsync(database), Is.Zero);
        await InsertAsync(database, 1);
        Assert.That(await CountAsync(database), Is.EqualTo(1));
    }

    [Test]
    public async Task A_read_sees_one_state_whatever_is_written_meanwhile()
    {
        using var database = Open([First]);
        await InsertAsync(database, 1);
        var (before, after) = await database.ReadAsync(session =>
        {
            var one = session.Scalar<long>("SELECT count(*) FROM t");
            InsertAsync(database, 2).GetAwaiter().GetResult();
            return (one, session.Scalar<long>("SELECT count(*) FROM t"));
        }, default);

        Assert.That((before, after), Is.EqualTo((1, 1)));
        Assert.That(await CountAsync(database), Is.EqualTo(2));
    }

    [Test]
    public async Task Writers_and_readers_at_once_neither_fail_nor_lose()
    {
        using var database = Open([First]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await InsertAsync(database, (worker * 50) + i);
                await CountAsync(database);
            }
        })));
        Assert.That(await CountAsync(database), Is.EqualTo(400));
    }

    [Test]
    public async Task Of_writes_that_go_together_each_fails_alone()
    {
        using var database = Open([First]);
        using var first = new Blocker(database);
        var writes = Enumerable.Range(0, 200).Select(WriteAsync).ToList();
        await first.ReleaseAsync();
        var kept = await Task.WhenAll(writes);

        Assert.That(kept, Is.EqualTo(Enumerable.Range(0, 200).Select(i => i % 3 != 0)));
        var rows = await database.ReadAsync(
            session => session.List("SELECT a FROM t WHERE a >= 0 ORDER BY a", row => (int)row.GetInt64(0)), default);
        Assert.That(rows, Is.EqualTo(Enumerable.Range(0, 200).Where(i => i % 3 != 0)));

        async Task<bool> WriteAsync(int i)
        {
            try
            {
                await database.WriteAsync(session =>
                {
                    session.Run("INSERT INTO t(a) VALUES(?1)", i);
                    if (i % 6 == 0) throw new InvalidOperationException();
                    if (i % 6 == 3) session.Run("INSERT INTO t(a) VALUES(?1)", i);
                }, default);
                return true;
            }
            catch (Exception e) when (e is InvalidOperationException or MillraceException { Error.Code: "ST-0001" })
            {
                return false;
            }
        }
    }

    [Test]
    public async Task A_write_that_was_given_up_while_it_waited_is_not_made()
    {
        using var database = Open([First]);
        using var first = new Blocker(database);
        using var patience = new CancellationTokenSource();
        var given = database.WriteAsync(session => session.Run("INSERT INTO t(a) VALUES(1)"), patience.Token).AsTask();
        var waits = database.WriteAsync(session => session.Run("INSERT INTO t(a) VALUES(2)"), default).AsTask();
        await patience.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => given);
        await first.ReleaseAsync();
        await waits;

        var rows = await database.ReadAsync(
            session => session.List("SELECT a FROM t WHERE a >= 0", row => row.GetInt64(0)), default);
        Assert.That(rows, Is.EqualTo(new[] { 2L }));
    }

    [Test]
    public async Task When_the_disk_is_full_each_writer_knows_whether_its_row_is_kept()
    {
        using var database = Open([First]);
        var pages = await database.WriteAsync(session => session.Scalar<long>("PRAGMA page_count"), default);
        await database.WriteAsync(session => session.Scalar<long>($"PRAGMA max_page_count = {pages + 60}"), default);
        // Those of a group share its end: the first has one of its own.
        var first = await TryAsync(0);
        var rest = await Task.WhenAll(Enumerable.Range(1, 99).Select(i => Task.Run(() => TryAsync(i))));
        int[] told = [first, .. rest];

        var rows = await database.ReadAsync(
            session => session.List("SELECT a FROM t ORDER BY a", row => (int)row.GetInt64(0)), default);
        Assert.That(rows, Is.EqualTo(Enumerable.Range(0, 100).Except(told)));
        Assert.That(told, Has.Some.EqualTo(-1).And.Some.Not.EqualTo(-1));

        async Task<int> TryAsync(int i)
        {
            try
            {
                await InsertAsync(database, i, bytes: 10_000);
                return -1;
            }
            catch (MillraceException e) when (e.Error.Code == "ST-0007")
            {
                return i;
            }
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_a_write_returned_from_is_in_the_files_when_the_process_dies_now(bool durable)
    {
        using var database = Open([First], durable);
        for (var i = 0; i < 20; i++)
        {
            await InsertAsync(database, i);

            // The files as a killed process leaves them: the database with its log, and nothing folded back.
            using var left = new TemporaryFolder();
            foreach (var name in new[] { "test.db", "test.db-wal" })
                if (System.IO.File.Exists(_folder.Sub(name))) Copy(_folder.Sub(name), left.Sub(name));
            using var again = new SqliteDatabase(left.Sub("test.db"), durable, 1, [First], TimeProvider.System);
            Assert.That(await CountAsync(again), Is.EqualTo(i + 1));
        }
    }

    [TestCase(true, 2)]
    [TestCase(false, 1)]
    public async Task Commits_are_synced_where_nothing_else_holds_the_records(bool durable, int synchronous)
    {
        using var database = Open([First], durable);
        var (level, mode) = await database.WriteAsync(
            s => (s.Scalar<long>("PRAGMA synchronous"), s.Scalar<string>("PRAGMA journal_mode")), default);
        Assert.That((level, mode), Is.EqualTo((synchronous, "wal")));
    }

    [Test]
    public async Task A_full_disk_is_told_and_the_database_goes_on_when_there_is_room()
    {
        using var database = Open([First]);
        var pages = await database.WriteAsync(session => session.Scalar<long>("PRAGMA page_count"), default);
        await database.WriteAsync(session => session.Scalar<long>($"PRAGMA max_page_count = {pages + 2}"), default);
        Assert.That(Code(async () => await InsertAsync(database, 1, bytes: 100_000)), Is.EqualTo("ST-0007"));
        Assert.That(await CountAsync(database), Is.Zero);

        await database.WriteAsync(session => session.Scalar<long>("PRAGMA max_page_count = 1000000"), default);
        await InsertAsync(database, 1, bytes: 100_000);
        Assert.That(await CountAsync(database), Is.EqualTo(1));
    }

    [Test]
    public async Task A_lock_of_another_process_is_told_when_it_lasts()
    {
        using var database = Open([First]);
        using var other = new SqliteConnection($"Data Source={File};Pooling=False");
        other.Open();
        Run(other, "BEGIN IMMEDIATE");
        Assert.That(Code(async () => await InsertAsync(database, 1)), Is.EqualTo("ST-0008"));
        Assert.That(await CountAsync(database), Is.Zero);

        Run(other, "ROLLBACK");
        await InsertAsync(database, 1);
        Assert.That(await CountAsync(database), Is.EqualTo(1));
    }

    [Test]
    public void A_file_that_is_no_database_is_told()
    {
        System.IO.File.WriteAllText(File, new string('x', 5000));
        Assert.That(Code(() => Task.FromResult(Open([First]))), Is.EqualTo("ST-0009"));
    }

    [Test]
    public async Task A_damaged_page_is_told_when_it_is_read()
    {
        using (var database = Open([First]))
            for (var i = 0; i < 100; i++) await InsertAsync(database, i, bytes: 1000);
        using (var file = new FileStream(File, FileMode.Open))
        {
            file.Position = 8192;
            file.Write(Enumerable.Repeat((byte)0xAB, (int)file.Length - 8192).ToArray());
        }

        using var damaged = Open([First]);
        Assert.That(Code(async () => await damaged.ReadAsync(
            session => session.List("SELECT b FROM t", row => row.Bytes(0)), default)), Is.EqualTo("ST-0009"));
    }

    [Test]
    public void A_folder_that_cannot_be_is_told()
    {
        System.IO.File.WriteAllText(_folder.Sub("file"), "");
        Assert.That(Code(() => Task.FromResult(new SqliteDatabase(
            _folder.Sub("file/test.db"), true, 1, [First], TimeProvider.System))), Is.EqualTo("ST-0001"));
    }

    [Test]
    public async Task A_schema_goes_on_from_where_it_is()
    {
        using (var database = Open([First])) await InsertAsync(database, 1);
        using (var database = Open([First, Second]))
        {
            var c = await database.ReadAsync(session => session.Scalar<string>("SELECT c FROM t"), default);
            Assert.That(c, Is.EqualTo("x"));
        }

        using var again = Open([First, Second]);
        var steps = await again.ReadAsync(session => session.List(
            "SELECT number, name FROM migrations", row => (row.GetInt64(0), row.GetString(1))), default);
        Assert.That(steps, Is.EqualTo(new[] { (1L, "first"), (2L, "second") }));
    }

    [Test]
    public async Task A_step_that_fails_counts_not_at_all()
    {
        using (var database = Open([First])) await InsertAsync(database, 1);
        Assert.That(Code(() => Task.FromResult(Open([First, Broken]))), Is.EqualTo("ST-0001"));

        using var again = Open([First, Second]);
        var tables = await again.ReadAsync(
            session => session.Scalar<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'u'"), default);
        Assert.That(tables, Is.Zero);
    }

    [Test]
    public async Task Several_that_open_a_new_file_at_once_and_write_lose_nothing()
    {
        const int Openers = 4;
        const int Writes = 50;
        await Task.WhenAll(Enumerable.Range(0, Openers).Select(opener => Task.Run(async () =>
        {
            using var database = new SqliteDatabase(
                File, durable: false, lockTimeoutSeconds: 30, [First, Second], TimeProvider.System);
            for (var i = 0; i < Writes; i++) await InsertAsync(database, (opener * Writes) + i);
        })));

        using var again = Open([First, Second]);
        Assert.That(await CountAsync(again), Is.EqualTo(Openers * Writes));
    }

    [Test]
    public void A_newer_schema_is_not_opened()
    {
        using (Open([First, Second])) { }
        Assert.That(Code(() => Task.FromResult(Open([First]))), Is.EqualTo("ST-0005"));
    }

    private SqliteDatabase Open(IReadOnlyList<Migration> migrations, bool durable = true) =>
        new(File, durable, lockTimeoutSeconds: 1, migrations, TimeProvider.System);

    private static async Task InsertAsync(SqliteDatabase database, long a, int bytes = 1) =>
        await database.WriteAsync(
            session => session.Run("INSERT INTO t(a, b) VALUES(?1, ?2)", a, new byte[bytes]), default);

    private static async Task<long> CountAsync(SqliteDatabase database) =>
        await database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM t"), default);

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static void Copy(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var target = new FileStream(to, FileMode.Create);
        source.CopyTo(target);
    }

    private static string Code(Func<Task> action) => Assert.ThrowsAsync<MillraceException>(action)!.Error.Code;

    /// <summary>A write that is under way until it is released, so that others gather behind it.</summary>
    private sealed class Blocker : IDisposable
    {
        private readonly ManualResetEventSlim _release = new();
        private readonly Task _write;

        public Blocker(SqliteDatabase database)
        {
            using var begun = new ManualResetEventSlim();
            _write = Task.Run(async () => await database.WriteAsync(session =>
            {
                session.Run("INSERT INTO t(a) VALUES(-1)");
                begun.Set();
                _release.Wait();
            }, default));
            begun.Wait();
        }

        public Task ReleaseAsync()
        {
            _release.Set();
            return _write;
        }

        public void Dispose()
        {
            _release.Set();
            _write.GetAwaiter().GetResult();
            _release.Dispose();
        }
    }
}
