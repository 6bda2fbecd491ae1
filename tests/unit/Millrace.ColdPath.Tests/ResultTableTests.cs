using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Delta;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>The tables in which the results of jobs are kept.</summary>
public sealed class ResultTableTests
{
    private const string Job = "fleet-activity-by-day";

    private static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private ColdPathHost _host = null!;

    [SetUp]
    public async Task Start() => _host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" });

    [TearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [Test]
    public async Task The_table_of_a_job_says_what_its_files_hold()
    {
        await _host.Get<ResultTable>().ReplaceAsync(Job, TimePart.Of(JobPart.Day, Day), new BatchQuery("""
            SELECT 'd-' || i AS device_id, i, i / 4 AS share, '2026-11-22T10:00:00.1234567Z' AS text,
              TIMESTAMPTZ '2026-11-22 10:00:00.1236+00' + i * INTERVAL '1' SECOND AS at FROM range(1, 10) AS r(i)
            """), default);

        using var delta = new DeltaTable(_host.Objects, BatchTable.OfJob(Job).Root, TimeProvider.System);
        var stats = (await delta.RefreshAsync())!.Files.Values.Single().Stats!;
        Assert.That(stats.Records, Is.EqualTo(9));
        Assert.That(stats.Columns.Select(column => $"{column.Column} {column.Min}-{column.Max}"), Is.EqualTo(new[]
        {
            "device_id d-1-d-9", "i 1-9", "share 0.25-",
            "text 2026-11-22T10:00:00.1234567Z-2026-11-22T10:00:00.1234567Z",
            "at 2026-11-22T10:00:01.123Z-2026-11-22T10:00:09.123Z",
        }));
    }

    [Test]
    public async Task What_is_read_is_as_new_as_the_options_of_the_table_say()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(ShortLived(), time);
        async Task<string> PartsAsync() => (await host.PostAsync("/api/v1/cold/sql?format=csv", new
        {
            sql = "SELECT part_day, count(*) AS n FROM job_fleet_activity_by_day GROUP BY part_day ORDER BY part_day",
        })).Body;
        async Task MakeAsync(int day, int rows) => await host.Get<ResultTable>().ReplaceAsync(
            Job, TimePart.Of(JobPart.Day, Day.AddDays(day)), new BatchQuery($"SELECT i FROM range({rows}) AS r(i)"),
            default);
        await MakeAsync(0, 1);
        Assert.That(await PartsAsync(), Is.EqualTo("part_day,n\r\n2026-11-22,1\r\n"));

        // The entries behind the one that was read go before it is read on.
        await MakeAsync(1, 2);
        await MakeAsync(0, 3);
        time.Move(TimeSpan.FromHours(37));
        await host.Get<ResultUpkeep>().KeepAsync(Job, default);

        Assert.That(await PartsAsync(), Is.EqualTo("part_day,n\r\n2026-11-22,3\r\n2026-11-23,2\r\n"));
    }

    [Test]
    public async Task Files_that_vacuum_may_have_deleted_are_not_committed()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(ShortLived(), time);
        var query = new BatchQuery("SELECT CAST(1 AS BIGINT) AS one");
        await using var rows = await host.Engine.QueryAsync(query);

        Assert.That(async () => await host.Get<ResultTable>().ReplaceAsync(
            Job, TimePart.Of(JobPart.Day, Day), rows.Schema, async prefix =>
            {
                var written = await host.Engine.WriteParquetAsync(query, new BatchOutput(prefix));
                time.Move(TimeSpan.FromHours(13));
                return written;
            }, default),
            Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("CP-0012"));
    }

    [Test]
    public async Task Two_that_make_the_same_part_at_once_leave_one()
    {
        var results = _host.Get<ResultTable>();
        var query = new BatchQuery("SELECT CAST(1 AS BIGINT) AS one");
        var part = TimePart.Of(JobPart.Day, Day);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ =>
            results.ReplaceAsync(Job, part, query, CancellationToken.None)));

        using var delta = new DeltaTable(_host.Objects, BatchTable.OfJob(Job).Root, TimeProvider.System);
        var snapshot = (await delta.RefreshAsync())!;
        Assert.That(snapshot.Files, Has.Count.EqualTo(1));
        Assert.That(snapshot.PositionOf("part/2026-11-22"), Is.EqualTo(6));
    }

    [Test]
    public async Task A_job_may_get_columns_and_what_was_kept_before_has_none_in_them()
    {
        var results = _host.Get<ResultTable>();
        await results.ReplaceAsync(Job, TimePart.Of(JobPart.Day, Day), new BatchQuery("SELECT CAST(1 AS BIGINT) AS a"),
            CancellationToken.None);
        await results.ReplaceAsync(Job, TimePart.Of(JobPart.Day, Day.AddDays(1)),
            new BatchQuery("SELECT CAST(2 AS BIGINT) AS a, 'x' AS b"), CancellationToken.None);

        var (status, body) = await _host.PostAsync("/api/v1/cold/sql?format=csv",
            new { sql = "SELECT a, b FROM job_fleet_activity_by_day ORDER BY a" });
        Assert.That((status, body), Is.EqualTo((200, "a,b\r\n1,\r\n2,x\r\n")));
    }

    private static Dictionary<string, string?> ShortLived() => new()
    {
        ["ColdPath:Scheduler"] = "false",
        ["Delta:VacuumSafeAge"] = "1d",
        ["Delta:LogRetention"] = "1d",
        ["Delta:CheckpointInterval"] = "2",
    };
}
