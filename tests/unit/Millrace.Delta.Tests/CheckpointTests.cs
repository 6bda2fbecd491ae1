using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Delta.Tests;

/// <summary>A table reads the same from its checkpoints as from its entries, and older versions stay.</summary>
public sealed class CheckpointTests
{
    private TemporaryFolder _folder = null!;
    private IObjectStore _store = null!;
    private ShiftedTime _time = null!;

    [SetUp]
    public void Open()
    {
        _folder = new TemporaryFolder();
        _store = TestObjectStores.Files(_folder.Path);
        _time = new ShiftedTime();
    }

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task A_table_reads_the_same_from_a_checkpoint_as_from_its_entries([Range(1, 6)] int seed)
    {
        var random = new Random(seed);
        using var writer = Table();
        var states = await WriteAsync(writer, random, commits: 40, checkpointAt: () => random.Next(6) == 0);

        using var cold = Table();
        AssertSame((await cold.RefreshAsync())!, states[^1]);
        for (var i = 0; i < 10; i++)
        {
            var state = states[random.Next(states.Count)];
            AssertSame(await cold.AtVersionAsync(state.Version), state);
        }
    }

    [Test]
    public async Task What_clean_up_deletes_nobody_needs_to_read_a_version_that_is_young_enough([Range(1, 4)] int seed)
    {
        var random = new Random(seed);
        using var writer = Table(checkpointInterval: 7);
        var states = await WriteAsync(writer, random, commits: 30, checkpointAt: () => false);
        var before = (await KeysAsync()).Count;
        foreach (var key in await KeysAsync())
            File.SetLastWriteTimeUtc(_store.LocalPath(key)!, _time.GetUtcNow().UtcDateTime.AddDays(-31));
        var young = await WriteAsync(writer, random, commits: 7, checkpointAt: () => false, states[^1]);

        Assert.That((await KeysAsync()).Count, Is.LessThan(before));
        using var cold = Table();
        foreach (var state in young.Skip(1)) AssertSame(await cold.AtVersionAsync(state.Version), state);
        Assert.That(async () => await cold.AtVersionAsync(3), RefusedAs("DL-0006"));
        Assert.That(async () => await cold.AtVersionAsync(young[^1].Version + 1), RefusedAs("DL-0006"));
        AssertSame((await cold.RefreshAsync())!, young[^1]);
    }

    [Test]
    public async Task The_log_of_a_table_that_nobody_writes_to_is_trimmed_to_what_its_newest_version_needs()
    {
        using var writer = Table();
        var states = await WriteAsync(writer, new Random(1), commits: 5, checkpointAt: () => false);
        var begun = await writer.LogBeginsAsync();
        Assert.That(await writer.TrimLogAsync(begun!.Value), Is.Zero, "nothing is so old");
        Assert.That(await KeysAsync(), Has.Count.EqualTo(states[^1].Version + 1));

        var deleted = await writer.TrimLogAsync(_time.GetUtcNow().AddDays(1));

        Assert.That(deleted, Is.EqualTo(states[^1].Version));
        Assert.That((await KeysAsync()).Select(key => key[(key.LastIndexOf('/') + 1)..]), Is.EquivalentTo((string[])
        [
            $"{states[^1].Version:D20}.json", $"{states[^1].Version:D20}.checkpoint.parquet", "_last_checkpoint",
        ]));
        using var cold = Table();
        AssertSame((await cold.RefreshAsync())!, states[^1]);
        Assert.That(await writer.TrimLogAsync(_time.GetUtcNow().AddDays(1)), Is.Zero, "once");
    }

    [Test]
    public async Task Dying_at_any_write_of_a_checkpoint_or_clean_up_leaves_the_table_readable([Range(1, 8)] int write)
    {
        using var writer = Table(checkpointInterval: 100);
        var states = await WriteAsync(writer, new Random(write), commits: 12, checkpointAt: () => false);
        _time.Move(TimeSpan.FromDays(31));
        var (count, fault) = (0, write % 2 == 0 ? WriteFault.CrashBefore : WriteFault.CrashAfter);
        var dying = new FaultyObjectStore(_store, _ => ++count == (write + 1) / 2 ? fault : WriteFault.None);
        using (var table = new DeltaTable(dying, TelemetryTable.Root, _time, new DeltaTableOptions()))
        {
            try
            {
                await table.CheckpointAsync();
                await table.TidyLogAsync(states[^1].Version + 1_000);
            }
            catch (CrashedException)
            {
                // As it should be; a later write than there are kills nobody.
            }
        }

        using var cold = Table();
        AssertSame((await cold.RefreshAsync())!, states[^1]);
        await cold.CommitAsync(DeltaTableTests.Commit("after", null) with { FilesWrittenAt = _time.GetUtcNow() });
        Assert.That((await cold.RefreshAsync())!.Version, Is.EqualTo(states[^1].Version + 1));
    }

    [Test]
    public async Task A_hint_that_is_wrong_costs_time_alone()
    {
        using var writer = Table();
        var states = await WriteAsync(writer, new Random(1), commits: 5, checkpointAt: () => false);
        foreach (var hint in new[] { "{\"version\":4}", "{}", "no json", "{\"version\":99}" })
        {
            await _store.PutAsync("telemetry/_delta_log/_last_checkpoint", System.Text.Encoding.UTF8.GetBytes(hint));
            using var cold = Table();
            AssertSame((await cold.RefreshAsync())!, states[^1]);
        }
    }

    [Test]
    public async Task A_table_is_read_as_it_was_at_a_time()
    {
        using var table = Table();
        var made = await DeltaTableTests.MakeAsync(table);
        await table.CommitAsync(DeltaTableTests.Commit("first", null));
        // Files are stamped in ticks of up to 10 ms.
        var between = (await WrittenAtAsync(1)).AddMilliseconds(20);
        while (TimeProvider.System.GetUtcNow() <= between.AddMilliseconds(20)) await Task.Yield();
        await table.CommitAsync(DeltaTableTests.Commit("second", null));

        Assert.That((await table.AtTimeAsync(between)).Version, Is.EqualTo(1));
        Assert.That((await table.AtTimeAsync(TimeProvider.System.GetUtcNow().AddHours(1))).Version, Is.EqualTo(2));
        Assert.That(async () => await table.AtTimeAsync(between.AddDays(-1)), RefusedAs("DL-0006"));
        Assert.That(made.Version, Is.Zero);
        var history = await table.HistoryAsync().ToListAsync();
        Assert.That(history.Select(version => version.Operation),
            Is.EqualTo(new[] { "WRITE", "WRITE", "CREATE TABLE" }));
    }

    [Test]
    public async Task Vacuum_deletes_what_nobody_needs_when_it_is_old_enough()
    {
        using var table = Table();
        await DeltaTableTests.MakeAsync(table);
        foreach (var name in new[] { "kept", "removed", "never" }) await PutAsync(name);
        await table.CommitAsync(DeltaTableTests.Commit("kept", null));
        await table.CommitAsync(DeltaTableTests.Commit("removed", null));
        var removed = (await table.RefreshAsync())!.Files.Keys.Single(path => path.Contains("removed"));

        _time.Move(TimeSpan.FromDays(5));
        await table.CommitAsync(DeltaTableTests.Commit("other", null) with
        {
            Removes = [new RemoveFile(removed, 0, DataChange: true)],
            FilesWrittenAt = _time.GetUtcNow(),
        });
        Assert.That((await table.VacuumAsync(dryRun: false)).Files, Is.Zero);

        _time.Move(TimeSpan.FromDays(3));
        Assert.That(await table.VacuumAsync(dryRun: true), Is.EqualTo(new DeltaVacuum(1, 3, 1)), "never committed");
        await table.VacuumAsync(dryRun: false);
        Assert.That(await FilesAsync(), Is.EqualTo(new[] { "kept", "removed" }));
        var history = await table.HistoryAsync().Take(3).ToListAsync();
        Assert.That(history.Select(version => version.Operation),
            Is.EqualTo(new[] { "VACUUM END", "VACUUM START", "WRITE" }), "what deleted nothing is not recorded");
        Assert.That(history[0].Details, Is.EqualTo(new Dictionary<string, string>
        {
            ["status"] = "COMPLETED",
            ["numDeletedFiles"] = "1",
        }));
        Assert.That(history[1].Details, Is.EqualTo(new Dictionary<string, string>
        {
            ["specifiedRetentionMillis"] = "604800000",
            ["numFilesToDelete"] = "1",
            ["sizeOfDataToDelete"] = "3",
        }));

        _time.Move(TimeSpan.FromDays(5));
        await table.CheckpointAsync();
        using var cold = Table();
        await cold.VacuumAsync(dryRun: false);
        Assert.That(await FilesAsync(), Is.EqualTo(new[] { "kept" }));
    }

    [Test]
    public async Task Vacuum_takes_also_what_a_writer_that_died_has_below_a_folder_of_its_own()
    {
        using var table = Table();
        await DeltaTableTests.MakeAsync(table);
        const string Part = "part_day=2026-11-22/run/_temporary/0/task_1/part-0.parquet";
        foreach (var key in new[] { Part, "_of_another_tool/some.parquet" })
            await _store.PutAsync($"{table.Root}/{key}", new byte[3]);
        Assert.That((await table.LeftoversAsync()).Files, Is.EqualTo(1));

        _time.Move(TimeSpan.FromDays(8));
        await table.VacuumAsync(dryRun: false);

        Assert.That(await _store.ListAsync($"{table.Root}/").Select(info => info.Key[(table.Root.Length + 1)..])
            .Where(key => !key.StartsWith("_delta_log")).ToListAsync(),
            Is.EqualTo(new[] { "_of_another_tool/some.parquet" }));
        Assert.That((await table.RefreshAsync())!.Version, Is.EqualTo(2), "the log is there, with the vacuum in it");
    }

    private async Task<List<DeltaSnapshot>> WriteAsync(
        DeltaTable table, Random random, int commits, Func<bool> checkpointAt, DeltaSnapshot? from = null)
    {
        var states = new List<DeltaSnapshot> { from ?? await DeltaTableTests.MakeAsync(table) };
        for (var i = 0; i < commits; i++)
        {
            var state = states[^1];
            var removes = state.Files.Keys.Where(_ => random.Next(5) == 0)
                .Select(path => new RemoveFile(path, 0, random.Next(2) == 0)).ToList();
            var app = $"app/{random.Next(4)}";
            var stats = random.Next(3) == 0
                ? null
                : new FileStats(i, [new("device_id", "a\u00fc\"", $"d{i}", 0), new("log_offset", 0L, (long)i, null)]);
            var move = new PositionMove(app, state.PositionOf(app), random.NextInt64());
            var commit = DeltaTableTests.Commit($"f{state.Version}_{i}", move, stats) with
            {
                Removes = removes,
                FilesWrittenAt = _time.GetUtcNow(),
            };
            Assert.That((await table.CommitAsync(commit)).Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
            if (i == commits / 2)
            {
                await table.EnsureAsync(
                    new DeltaSchema([new($"c{state.Version}", DeltaType.Double)]), TelemetryTable.PartitionColumns);
            }

            states.Add((await table.RefreshAsync())!);
            if (checkpointAt()) await table.CheckpointAsync();
            await table.TidyLogAsync(states[^1].Version);
        }

        return states;
    }

    private static void AssertSame(DeltaSnapshot actual, DeltaSnapshot expected)
    {
        Assert.That(actual.Version, Is.EqualTo(expected.Version));
        Assert.That(actual.Files.Keys, Is.EquivalentTo(expected.Files.Keys));
        foreach (var (path, file) in expected.Files) Assert.That(Text(actual.Files[path]), Is.EqualTo(Text(file)));
        Assert.That(actual.Transactions, Is.EquivalentTo(expected.Transactions));
        Assert.That(actual.Schema.Columns, Is.EqualTo(expected.Schema.Columns));
        Assert.That(actual.Metadata.Id, Is.EqualTo(expected.Metadata.Id));
        Assert.That(actual.Metadata.PartitionColumns, Is.EqualTo(expected.Metadata.PartitionColumns));

        // Records hold lists, which do not compare; and a checkpoint says of no file that it changed data.
        static string Text(AddFile file) =>
            System.Text.Encoding.UTF8.GetString(ActionWriter.Write([file with { DataChange = false }]));
    }

    private DeltaTable Table(int checkpointInterval = 1_000) => new(_store, TelemetryTable.Root, _time,
        new DeltaTableOptions { CheckpointInterval = checkpointInterval });

    private ValueTask PutAsync(string name) =>
        _store.PutAsync($"telemetry/date=2026-11-22/hour=7/{name}.parquet", new byte[] { 1, 2, 3 });

    private async Task<List<string>> FilesAsync() => [.. (await KeysAsync("telemetry/date="))
        .Select(key => Path.GetFileNameWithoutExtension(key)!).Order()];

    private async Task<List<string>> KeysAsync(string prefix = "telemetry/_delta_log/") =>
        await _store.ListAsync(prefix).Select(info => info.Key).ToListAsync();

    private async Task<DateTimeOffset> WrittenAtAsync(long version) =>
        (await _store.FindAsync($"telemetry/_delta_log/{version:D20}.json"))!.ModifiedAt;

    private static NUnit.Framework.Constraints.Constraint RefusedAs(string code) =>
        Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);
}
