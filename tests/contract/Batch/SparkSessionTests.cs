using Apache.Arrow;
using Millrace.Batch.SparkConnect;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Contract.Tests.Batch;

/// <summary>The client itself, against a real server.</summary>
[TestFixture]
public sealed class SparkSessionTests
{
    private SparkClient _client = null!;
    private SparkSession _session = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public async Task Open()
    {
        _folder = new TemporaryFolder();
        _client = Client((await SparkNode.ServersAsync()).Remote);
        _session = _client.OpenSession("tests", "batch");
    }

    [TearDown]
    public async Task Close()
    {
        if (_session is not null) await _session.DisposeAsync();
        _client?.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task The_server_says_its_version() =>
        Assert.That(await _session.VersionAsync(default), Does.StartWith("4."));

    [Test]
    public async Task Settings_are_the_sessions_own()
    {
        await _session.SetAsync(new Dictionary<string, string> { ["spark.sql.shuffle.partitions"] = "7" }, default);
        await using var other = _client.OpenSession();

        Assert.That(await _session.GetAsync("spark.sql.shuffle.partitions", default), Is.EqualTo("7"));
        Assert.That(await other.GetAsync("spark.sql.shuffle.partitions", default), Is.Not.EqualTo("7"));
    }

    [Test]
    public async Task Temporary_views_come_and_go_and_the_catalogue_tells_of_them()
    {
        await _session.CreateTempViewAsync("numbers", SparkRelations.Sql("SELECT id AS n FROM range(5)"), default);

        Assert.That(await _session.TablesAsync(default), Does.Contain("numbers"));
        Assert.That(await _session.ColumnsAsync("numbers", default), Is.EqualTo(new[] { "n" }));
        Assert.That(await _session.TableExistsAsync("numbers", default), Is.True);
        Assert.That(await _session.DatabasesAsync(default), Does.Contain(await _session.CurrentDatabaseAsync(default)));
        Assert.That(await RowsAsync("SELECT sum(n) AS s FROM numbers"), Is.EqualTo(new[] { "10" }));
        await using (var other = _client.OpenSession())
            Assert.That(await other.TableExistsAsync("numbers", default), Is.False);

        Assert.That(await _session.DropTempViewAsync("numbers", default), Is.True);
        Assert.That(await _session.TableExistsAsync("numbers", default), Is.False);
    }

    [Test]
    public async Task Only_the_partitions_that_come_again_are_replaced()
    {
        var path = $"file://{_folder.Path}/parts";
        await WriteAsync(path, "SELECT id, id % 3 AS part FROM range(30)", SparkWriteMode.ErrorIfExists);

        await WriteAsync(path, "SELECT 100 AS id, 1 AS part", SparkWriteMode.OverwritePartitions);
        Assert.That(await ReadAsync(path), Is.EqualTo(new[] { "0|10", "1|1", "2|10" }));

        await WriteAsync(path, "SELECT 100 AS id, 2 AS part", SparkWriteMode.Append);
        Assert.That(await ReadAsync(path), Is.EqualTo(new[] { "0|10", "1|1", "2|11" }));

        await WriteAsync(path, "SELECT 100 AS id, 2 AS part", SparkWriteMode.Overwrite);
        Assert.That(await ReadAsync(path), Is.EqualTo(new[] { "2|1" }));

        Assert.That(
            async () => await WriteAsync(path, "SELECT 1 AS id, 2 AS part", SparkWriteMode.ErrorIfExists),
            Throws.InstanceOf<SparkException>().With.Property("Spark").Property("Class")
                .EqualTo("PATH_ALREADY_EXISTS"));
    }

    [Test]
    public async Task Tables_are_written_and_their_partitions_replaced()
    {
        var table = $"t_{Guid.NewGuid():N}";
        Task Write(string sql, SparkWriteMode mode) => _session.WriteTableAsync(
            SparkRelations.Sql(sql), table, new SparkWrite(mode, "part"), sql, default);
        await _session.SetAsync(
            new Dictionary<string, string> { ["spark.sql.sources.partitionOverwriteMode"] = "dynamic" }, default);

        await Write("SELECT id, id % 3 AS part FROM range(30)", SparkWriteMode.OverwritePartitions);
        await Write("SELECT 100L AS id, 1L AS part", SparkWriteMode.OverwritePartitions);

        Assert.That(await RowsAsync($"SELECT part, count(*) AS n FROM {table} GROUP BY part ORDER BY part"),
            Is.EqualTo(new[] { "0|10", "1|1", "2|10" }));
        await _session.CommandAsync($"DROP TABLE {table}", default);
        Assert.That(await _session.TableExistsAsync(table, default), Is.False);
    }

    [Test]
    public void An_error_has_sparks_class_state_message_and_parameters()
    {
        var e = Assert.CatchAsync<SparkException>(async () => await RowsAsync("SELECT nothing FROM range(3)"))!;

        Assert.That(e.Error.Code, Is.EqualTo("BA-0001"));
        Assert.That(e.Spark.Class, Does.StartWith("UNRESOLVED_COLUMN"));
        Assert.That(e.Spark.SqlState, Is.EqualTo("42703"));
        Assert.That(e.Spark.Message, Does.Contain("nothing"));
        Assert.That(e.Spark.Parameters, Does.ContainKey("objectName"));
    }

    [Test]
    public async Task Statements_are_interrupted_by_tag()
    {
        var running = Task.Run(() => RowsAsync(BatchEngineContract.Endless));
        IReadOnlyList<string> ended = [];
        await Eventually.TrueAsync(async () =>
        {
            ended = await _session.InterruptAsync(default, tag: "batch");
            return ended.Count > 0;
        }, "a statement runs and is interrupted");

        Assert.That(async () => await running, Throws.InstanceOf<SparkException>()
            .With.Property("Error").Property("Code").EqualTo("BA-0007"));
        Assert.That(await _session.InterruptAsync(default, tag: "nobody"), Is.Empty);
    }

    [Test]
    public async Task A_statement_is_ended_on_the_server_when_its_reader_leaves()
    {
        using var leaving = new CancellationTokenSource();
        var execution = _session.Execute(
            new() { Root = SparkRelations.Sql(BatchEngineContract.Endless) }, "endless");
        var reading = ReadAsync();
        await using (var other = _client.OpenSession()) await other.VersionAsync(default);
        await leaving.CancelAsync();
        Assert.That(async () => await reading, Throws.InstanceOf<OperationCanceledException>());
        await execution.DisposeAsync();

        Assert.That(await _session.InterruptAsync(default), Is.Empty, "nothing runs any more");

        // The server may tell of progress before there is a row.
        async Task ReadAsync()
        {
            while (await execution.NextAsync(leaving.Token) is not null) continue;
        }
    }

    [Test]
    public async Task A_result_goes_on_where_a_broken_connection_left_it()
    {
        // Many more than are on their way at once, so that there is something left to be cut off.
        const int rows = 6_000_000;
        var remote = new Uri((await SparkNode.ServersAsync()).Remote);
        await using var proxy = new BreakableProxy(remote.Host, remote.Port);
        using var client = Client($"sc://127.0.0.1:{proxy.Port}");
        await using var session = client.OpenSession();
        await session.VersionAsync(default);

        var (sum, count, isCutAgain) = (0L, 0L, false);
        await using (var result = await session.QueryAsync(
            SparkRelations.Sql($"SELECT id FROM range(0, {rows}, 1, 8)"), "rows", default))
        {
            proxy.CutAfter(2_000_000);
            await foreach (var batch in result.ReadAsync())
            {
                if (proxy.Cuts == 1 && !isCutAgain)
                {
                    proxy.CutAfter(1_000_000);
                    isCutAgain = true;
                }

                count += batch.Length;
                sum += ((Int64Array)batch.Column(0)).Values.ToArray().Sum();
            }
        }

        Assert.That(proxy.Cuts, Is.GreaterThan(1));
        Assert.That((count, sum), Is.EqualTo((rows, (long)rows * (rows - 1) / 2)));
    }

    [Test]
    public async Task A_statement_whose_first_answer_was_lost_runs_once()
    {
        var remote = new Uri((await SparkNode.ServersAsync()).Remote);
        await using var proxy = new BreakableProxy(remote.Host, remote.Port);
        using var client = Client($"sc://127.0.0.1:{proxy.Port}");
        await using var session = client.OpenSession();
        await session.VersionAsync(default);
        var path = $"file://{_folder.Path}/once";

        proxy.CutAfter(1);
        await session.WriteFilesAsync(SparkRelations.Sql("SELECT id FROM range(10)"), path,
            new SparkWrite(SparkWriteMode.ErrorIfExists), "write", default);

        Assert.That(proxy.Cuts, Is.EqualTo(1));
        Assert.That(await RowsAsync($"SELECT count(*) AS n FROM parquet.`{path}`"), Is.EqualTo(new[] { "10" }));
    }

    private static SparkClient Client(string remote) => SparkAddress.TryParse(remote, out var address, out var wrong)
        ? new SparkClient(address, new SparkOptions { Remote = remote }, TimeProvider.System)
        : throw new InvalidOperationException(wrong);

    private Task WriteAsync(string path, string sql, SparkWriteMode mode) =>
        _session.WriteFilesAsync(SparkRelations.Sql(sql), path, new SparkWrite(mode, "part"), sql, default);

    private Task<List<string>> ReadAsync(string path) => RowsAsync(
        $"SELECT part, count(*) AS n FROM parquet.`{path}` GROUP BY part ORDER BY part");

    private async Task<List<string>> RowsAsync(string sql)
    {
        await using var result = await _session.QueryAsync(SparkRelations.Sql(sql), sql, default);
        return await ArrowText.RowsAsync(result.ReadAsync());
    }
}
