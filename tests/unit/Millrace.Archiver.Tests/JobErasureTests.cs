using Millrace.Archiver.Upkeep;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Delta.Schema;
using Millrace.Stores.Jobs;

namespace Millrace.Archiver.Tests;

/// <summary>An erasure reaches the results of jobs, and of these only the device's rows.</summary>
public sealed class JobErasureTests
{
    private const long At = 1_764_000_000_000;
    private const string Day = "2026-11-22";

    private static readonly DeltaSchema Rows = new(
    [
        new("device_id", DeltaType.String), new("n", DeltaType.Long), new("i", DeltaType.Integer),
        new("x", DeltaType.Double), new("ok", DeltaType.Boolean), new("d", DeltaType.Date),
        new("t", DeltaType.Timestamp), new("raw", DeltaType.Binary), new("note", DeltaType.String),
    ]);

    private ArchiverHarness _archive = null!;
    private JobHarness _features = null!;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        _features = new JobHarness(_archive, "features", Rows);
        await _archive.StartAsync();
        foreach (var device in new[] { "pump-1", "pump-2", "pump-3" })
            await _archive.SendAsync(device, (At, "{}"), (At, "{}"));
        await _archive.CaughtUpAsync();
    }

    [TearDown]
    public async Task Remove()
    {
        _features.Dispose();
        await _archive.DisposeAsync();
    }

    [Test]
    public void Where_jobs_lie_all_say_alike() =>
        Assert.That(BatchTable.OfJob("a-b").Root, Is.EqualTo(JobTable.RootPrefix + "a-b"));

    [Test]
    public async Task The_device_goes_from_results_and_all_else_stays_as_it_is()
    {
        await RunAsync(Day, rows: 40);
        await RunAsync("2026-11-23", rows: 5);
        using var fleet = new JobHarness(_archive, "fleet", new DeltaSchema([new("devices", DeltaType.Long)]));
        await fleet.RunAsync(Day, "SELECT 3::BIGINT AS devices", Now);
        var before = await ResultsAsync("device_id IS DISTINCT FROM 'pump-1'");
        var gone = (await ResultsAsync("device_id = 'pump-1'")).Count;
        var old = (await _features.Table.RefreshAsync())!;

        var erased = await EraseAsync("pump-1");

        Assert.That((erased.JobRows, erased.Rows), Is.EqualTo(((long)gone, 2L)));
        Assert.That(gone, Is.GreaterThan(2));
        Assert.That(await ResultsAsync("true"), Is.EqualTo(before));
        var table = (await _features.Table.RefreshAsync())!;
        Assert.That(table.Files.Keys.Intersect(old.Files.Keys), Is.Empty);
        foreach (var file in table.Files.Values)
        {
            var devices = file.Stats!.Find("device_id")!;
            Assert.That((devices.Min, devices.Max), Is.EqualTo(((object)"pump-0", (object)"pump-2")));
            Assert.That(file.Stats.Columns.Select(column => column.Column),
                Is.EquivalentTo(Rows.Columns.Select(column => column.Name)));
        }

        var hash = ArchiveRecords.HashOf("pump-1");
        var begun = table.PositionOf(ArchiveRecords.Begun(hash, 0));
        Assert.That(begun, Is.GreaterThan(At).And.EqualTo(table.PositionOf(ArchiveRecords.Done(hash, 0))));
        var proof = await ProveAsync("pump-1");
        Assert.That(proof.Unproven, Is.Empty);
        Assert.That(proof.Jobs.Select(job => (job.Table, job.OldFiles)), Is.EqualTo((object[])[("jobs/features", 2)]));
        Assert.That(proof.NotLookedAt, Does.Contain("jobs/fleet").And.Contain("models/"));
        Assert.That((await fleet.Table.RefreshAsync())!.Version, Is.EqualTo(1));
    }

    [Test]
    public async Task A_file_of_which_no_row_is_left_goes()
    {
        await RunAsync(Day, rows: 1, devices: 2);
        await EraseAsync("pump-0");
        await EraseAsync("pump-1");

        Assert.That(await ResultsAsync("true"), Has.Count.EqualTo(1), "that of no device");
        await _features.RunAsync(Day, Sql(1, 1), Now);
        await EraseAsync("pump-0");
        await _features.RunAsync(Day, "SELECT * FROM (" + Sql(1, 1) + ") WHERE device_id IS NOT NULL", Now);
        await EraseAsync("pump-0");
        Assert.That((await _features.Table.RefreshAsync())!.Files, Is.Empty);
    }

    [Test]
    public async Task Runs_beside_an_erasure_neither_lose_nor_double_a_row_of_another_device([Range(1, 3)] int seed)
    {
        var days = Enumerable.Range(1, 6).Select(day => $"2026-11-0{day}").ToList();
        foreach (var day in days) await RunAsync(day, rows: 10);
        using var stop = new CancellationTokenSource();
        var random = new Random(seed);
        var running = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await RunAsync(days[random.Next(days.Count)], rows: 10);
        });
        for (var i = 0; i < 3; i++) await EraseAsync("pump-1");
        await stop.CancelAsync();
        await running;
        await EraseAsync("pump-1");

        Assert.That(await ResultsAsync("device_id = 'pump-1'"), Is.Empty);
        Assert.That(await _archive.SqlAsync("SELECT part_day, count(*) FROM job_features GROUP BY ALL ORDER BY ALL"),
            Is.EqualTo(days.Select(day => $"{day}|30")), "of two devices, and of none");
        Assert.That((await ProveAsync("pump-1")).Unproven, Is.Empty);
    }

    [Test]
    public async Task What_a_run_of_before_brings_back_is_found_and_what_came_later_is_not()
    {
        await RunAsync(Day, rows: 10);
        var startedAt = Now;
        await EraseAsync("pump-1");
        Assert.That((await ProveAsync("pump-1")).Unproven, Is.Empty);

        await _features.RunAsync(Day, Sql(10, 3), Now.AddMinutes(2));
        var later = await ProveAsync("pump-1");
        Assert.That((later.Jobs[0].ErasedRowsFound, later.Jobs[0].LaterRows), Is.EqualTo((0L, 10L)));
        Assert.That(later.Unproven, Is.Empty);

        await _features.RunAsync(Day, Sql(10, 3), startedAt);
        Assert.That((await ProveAsync("pump-1")).Unproven, Is.EqualTo(
            (string[])["jobs/features has 10 rows of before the erasure."]));

        // To erase another changes nothing of that.
        await EraseAsync("pump-2");
        Assert.That((await ProveAsync("pump-1")).Jobs[0].ErasedRowsFound, Is.EqualTo(10));
        await EraseAsync("pump-1");
        Assert.That((await ProveAsync("pump-1")).Unproven, Is.Empty);
    }

    [Test]
    public async Task While_a_run_of_before_goes_on_nothing_is_proven()
    {
        await RunAsync(Day, rows: 10);
        var runs = _archive.Get<IJobStore>();
        var run = new JobRun("1-a", "features", Day, "schedule", 1, "here", JobRunState.Running, Now);
        await runs.SaveRunAsync(run, TimeSpan.FromDays(1));
        await EraseAsync("pump-1");

        Assert.That((await ProveAsync("pump-1")).Unproven.Single(), Does.StartWith("The run 1-a of jobs/features"));
        await runs.SaveRunAsync(run with { State = JobRunState.Failed }, TimeSpan.FromDays(1));
        Assert.That((await ProveAsync("pump-1")).Unproven, Is.Empty);
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private Task RunAsync(string day, int rows, int devices = 3) => _features.RunAsync(day, Sql(rows, devices), Now);

    /// <summary>So many rows of each device, and of none.</summary>
    private static string Sql(int rows, int devices) => $"""
        SELECT CASE WHEN device < {devices} THEN 'pump-' || device END AS device_id, n::BIGINT AS n, n::INTEGER AS i,
            CASE WHEN n % 5 = 0 THEN 'nan'::DOUBLE WHEN n % 5 > 1 THEN n / 3 END AS x,
            CASE WHEN n % 3 > 0 THEN n % 2 = 0 END AS ok, DATE '2026-11-22' + n::INTEGER AS d,
            TIMESTAMPTZ '2026-11-22 07:00:00+00' + INTERVAL 1 SECOND * n AS t,
            encode('raw' || n) AS raw, repeat('a longer text ', 20) || n AS note
        FROM range({rows}) AS a(n), range({devices + 1}) AS b(device)
        """;

    private Task<List<string>> ResultsAsync(string where) => _archive.SqlAsync(
        $"SELECT * FROM job_features WHERE {where} ORDER BY part_day, device_id, n");

    private async Task<Erased> EraseAsync(string device) =>
        await _archive.Get<DeviceErasure>().RunAsync(device, CancellationToken.None);

    private async Task<DeviceProof> ProveAsync(string device) =>
        await _archive.Get<DeviceProver>().ProveAsync(device, CancellationToken.None);
}
