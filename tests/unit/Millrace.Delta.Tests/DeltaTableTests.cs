using System.Text;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Delta.Tests;

public sealed class DeltaTableTests
{
    private TemporaryFolder _folder = null!;
    private IObjectStore _store = null!;

    [SetUp]
    public void Open()
    {
        _folder = new TemporaryFolder();
        _store = TestObjectStores.Files(_folder.Path);
    }

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task There_is_no_table_until_one_is_made()
    {
        using var table = TableOn(_store);

        Assert.That(await table.RefreshAsync(), Is.Null);
        Assert.That((await MakeAsync(table)).Version, Is.Zero);
        Assert.That((await table.RefreshAsync())!.Schema.Columns, Is.EqualTo(TelemetryTable.BaseSchema.Columns));
    }

    [Test]
    public async Task A_table_that_is_there_is_not_made_again()
    {
        using var first = TableOn(_store);
        using var second = TableOn(_store);

        var made = await MakeAsync(first);
        var found = await MakeAsync(second);

        Assert.That(found.Metadata.Id, Is.EqualTo(made.Metadata.Id));
        Assert.That(found.Version, Is.Zero);
    }

    [Test]
    public async Task Many_that_make_a_table_at_once_make_one()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            using var table = TableOn(_store);
            return (await MakeAsync(table)).Metadata.Id;
        })));

        Assert.That(ids.Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_column_that_is_missing_is_added_and_the_others_stay()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        var wider = new DeltaSchema([.. TelemetryTable.BaseSchema.Columns, new("temperature", DeltaType.Double)]);

        var snapshot = await table.EnsureAsync(wider, TelemetryTable.PartitionColumns);
        var narrow = await MakeAsync(table);

        Assert.That(snapshot.Version, Is.EqualTo(1));
        Assert.That(snapshot.Schema.Find("temperature")!.Type, Is.EqualTo(DeltaType.Double));
        Assert.That(narrow.Version, Is.EqualTo(1), "a column that is not asked for any more stays");
    }

    [Test]
    public async Task A_column_cannot_change_its_type()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        var other = new DeltaSchema([new("device_id", DeltaType.Long)]);

        Assert.That(async () => await table.EnsureAsync(other, TelemetryTable.PartitionColumns), RefusedAs("DL-0004"));
    }

    [Test]
    public async Task Rows_and_positions_move_together_and_another_reader_sees_both()
    {
        using var writer = TableOn(_store);
        using var reader = TableOn(_store);
        await MakeAsync(writer);
        var stats = new FileStats(3, [new("device_id", "a", "b", 0), new("log_offset", 0L, 2L, 0)]);

        var result = await writer.CommitAsync(Commit("f1", new PositionMove("telemetry/0", null, 3), stats));
        var snapshot = (await reader.RefreshAsync())!;

        Assert.That(result.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
        Assert.That(snapshot.PositionOf("telemetry/0"), Is.EqualTo(3));
        var file = snapshot.Files.Values.Single();
        Assert.That(file.Stats!.Records, Is.EqualTo(3));
        Assert.That(file.Stats.Columns, Is.EqualTo(stats.Columns));
        Assert.That(reader.KeyOf(file), Is.EqualTo("telemetry/date=2026-11-22/hour=7/f1.parquet"));
    }

    [Test]
    public async Task A_commit_from_a_position_that_moved_is_void()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        await table.CommitAsync(Commit("f1", new PositionMove("telemetry/0", null, 3)));

        var again = await table.CommitAsync(Commit("f2", new PositionMove("telemetry/0", null, 5)));
        var next = await table.CommitAsync(Commit("f3", new PositionMove("telemetry/0", 3, 5)));

        Assert.That(again.Outcome, Is.EqualTo(DeltaCommitOutcome.Superseded));
        Assert.That(next.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
        Assert.That((await table.RefreshAsync())!.Files.Keys.Select(Path.GetFileNameWithoutExtension),
            Is.EquivalentTo(new[] { "f1", "f3" }));
    }

    [Test]
    public async Task A_number_that_another_took_is_passed_over_while_positions_stand()
    {
        using var mine = TableOn(_store);
        await MakeAsync(mine);
        var raced = false;
        var racing = new FaultyObjectStore(_store, key =>
        {
            if (raced || !key.EndsWith("1.json", StringComparison.Ordinal)) return WriteFault.None;
            raced = true;
            using var other = TableOn(_store);
            var commit = Commit("other", new PositionMove("telemetry/1", null, 9));
            other.CommitAsync(commit).AsTask().GetAwaiter().GetResult();
            return WriteFault.None;
        });
        using var late = TableOn(racing);

        var result = await late.CommitAsync(Commit("mine", new PositionMove("telemetry/0", null, 3)));

        Assert.That(result, Is.EqualTo(new DeltaCommitResult(DeltaCommitOutcome.Committed, 2, 1)));
        Assert.That((await mine.RefreshAsync())!.Transactions, Has.Count.EqualTo(2));
    }

    [TestCase(WriteFault.AnswerLost)]
    [TestCase(WriteFault.Refused)]
    public async Task A_lost_answer_neither_loses_nor_doubles_the_commit(WriteFault fault)
    {
        using var maker = TableOn(_store);
        await MakeAsync(maker);
        var faults = new Queue<WriteFault>([fault, fault, WriteFault.None]);
        using var table = TableOn(
            new FaultyObjectStore(_store, _ => faults.Count > 0 ? faults.Dequeue() : WriteFault.None));

        var result = await table.CommitAsync(Commit("f1", new PositionMove("telemetry/0", null, 3)));

        Assert.That(result.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
        Assert.That((await maker.RefreshAsync())!.Version, Is.EqualTo(1));
    }

    [Test]
    public async Task A_store_that_keeps_refusing_is_told_and_leaves_the_table_alone()
    {
        using var maker = TableOn(_store);
        await MakeAsync(maker);
        using var table = TableOn(new FaultyObjectStore(_store, _ => WriteFault.Refused));

        Assert.That(async () => await table.CommitAsync(Commit("f1", new PositionMove("telemetry/0", null, 3))),
            RefusedAs("DL-0005"));
        Assert.That((await maker.RefreshAsync())!.Files, Is.Empty);
    }

    [Test]
    public async Task Files_that_vacuum_may_soon_delete_are_not_committed()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        var old = Commit("f1", new PositionMove("telemetry/0", null, 3)) with
        {
            FilesWrittenAt = TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(4),
        };

        Assert.That((await table.CommitAsync(old)).Outcome, Is.EqualTo(DeltaCommitOutcome.Expired));
    }

    [Test]
    public async Task Compaction_is_void_when_a_file_that_it_replaces_is_gone()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        await table.CommitAsync(Commit("small", new PositionMove("telemetry/0", null, 3)));
        var path = (await table.RefreshAsync())!.Files.Keys.Single();
        var compaction = Commit("large", move: null) with { Removes = [new RemoveFile(path, 0, DataChange: false)] };

        var first = await table.CommitAsync(compaction);
        var second = await table.CommitAsync(compaction with { Id = "another" });

        Assert.That(first.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
        Assert.That(second.Outcome, Is.EqualTo(DeltaCommitOutcome.Superseded));
        Assert.That((await table.RefreshAsync())!.Files.Keys.Single(), Does.EndWith("large.parquet"));
    }

    [Test]
    public async Task Entries_that_are_damaged_or_missing_are_named()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        await table.CommitAsync(Commit("f1", new PositionMove("telemetry/0", null, 3)));
        await table.CommitAsync(Commit("f2", new PositionMove("telemetry/0", 3, 4)));
        const string entry = "telemetry/_delta_log/00000000000000000001.json";

        await _store.PutAsync(entry, Encoding.UTF8.GetBytes("{\"add\":"));
        Assert.That(async () => await TableOn(_store).RefreshAsync(), RefusedAs("DL-0001"));

        await _store.DeleteAsync(entry);
        Assert.That(async () => await TableOn(_store).RefreshAsync(), RefusedAs("DL-0002"));
    }

    [Test]
    public async Task A_table_of_a_later_protocol_is_refused_and_unknown_actions_are_passed_over()
    {
        using var table = TableOn(_store);
        await MakeAsync(table);
        await _store.PutAsync("telemetry/_delta_log/00000000000000000001.json",
            Encoding.UTF8.GetBytes("{\"cdc\":{\"path\":\"x\"}}\n{\"commitInfo\":{}}\n"));
        Assert.That((await table.RefreshAsync())!.Version, Is.EqualTo(1));

        await _store.PutAsync("telemetry/_delta_log/00000000000000000002.json",
            Encoding.UTF8.GetBytes("{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7}}\n"));
        Assert.That(async () => await table.RefreshAsync(), RefusedAs("DL-0003"));
    }

    internal static DeltaTable TableOn(IObjectStore store) => new(store, TelemetryTable.Root, TimeProvider.System,
        new DeltaTableOptions { CommitRetryDelay = TimeSpan.FromMilliseconds(1) });

    internal static ValueTask<DeltaSnapshot> MakeAsync(DeltaTable table) =>
        table.EnsureAsync(TelemetryTable.BaseSchema, TelemetryTable.PartitionColumns);

    internal static DeltaCommit Commit(string file, PositionMove? move, FileStats? stats = null) => new()
    {
        Id = Guid.NewGuid().ToString(),
        Operation = "WRITE",
        Adds =
        [
            new AddFile($"date=2026-11-22/hour=7/{file}.parquet",
                new Dictionary<string, string> { ["date"] = "2026-11-22", ["hour"] = "7" }, 100, 0, true, stats),
        ],
        Moves = move is null ? [] : [move],
        FilesWrittenAt = TimeProvider.System.GetUtcNow(),
    };

    private static NUnit.Framework.Constraints.Constraint RefusedAs(string code) =>
        Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);
}
