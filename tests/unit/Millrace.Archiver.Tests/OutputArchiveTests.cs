using System.Text;
using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>Each row that a query wrote, and that counts, is in the table of its output once.</summary>
public sealed class OutputArchiveTests
{
    private ArchiverHarness _archive = null!;
    private OutputHarness _output = null!;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("RollRows", "20").With("Upkeep:UpkeepInterval", "00:00:00")
            .MadeAsync();
        _output = new OutputHarness(_archive, "Hot-Devices");
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task A_row_says_who_wrote_it_when_and_what()
    {
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(1, epoch: 1, "a", "{\"n\":1}", "pump-1");
        await _output.RowAsync(1, epoch: 1, "b", "{\"n\":2}");
        await _output.AppendAsync(2, record =>
        {
            record.Begin(1_764_000_000_000, []);
            record.End("{}"u8);
        });
        await _output.CaughtUpAsync();

        Assert.That(
            await _archive.SqlAsync("SELECT row_id, query, version, epoch_ms(\"at\"), device_id, "
                + "epoch_ms(enqueued_at), log_partition, log_offset, body, date, hour "
                + "FROM \"hot-devices\" ORDER BY row_id"),
            Is.EqualTo((string[])
            [
                "a|q|2|1763999999000|pump-1|1764000000000|1|0|{\"n\":1}|2025-11-24|16",
                "b|q|2|1763999999000||1764000000000|1|1|{\"n\":2}|2025-11-24|16",
                "out.Hot-Devices/2/0|||1764000000000||1764000000000|2|0|{}|2025-11-24|16",
            ]));
    }

    [Test]
    public async Task Rows_of_a_stale_owner_do_not_count_even_when_the_fence_was_seen_in_an_earlier_life()
    {
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, epoch: 1, "a", "{}");
        await _output.FenceAsync(0, epoch: 2);
        await _output.RowAsync(0, epoch: 1, "stale-at-once", "{}");
        await _output.CaughtUpAsync();
        await _archive.StopAsync();

        await _output.RowAsync(0, epoch: 1, "stale-later", "{}");
        await _output.RowAsync(0, epoch: 2, "b", "{}");
        await _archive.StartAsync();
        await _output.CaughtUpAsync();
        await _output.FenceAsync(0, epoch: 4);
        await _output.CaughtUpAsync();
        await _output.RowAsync(0, epoch: 3, "stale-again", "{}");
        await _output.RowAsync(1, epoch: 1, "c", "{}");
        await _output.CaughtUpAsync();

        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["a", "b", "c"]));
        Assert.That((await _output.TableAsync())!.PositionOf("epoch/0/q/2"), Is.EqualTo(4));
    }

    [Test]
    public async Task Dying_at_the_nth_write_neither_loses_nor_doubles_a_row(
        [Range(1, 7)] int write, [Values(WriteFault.CrashBefore, WriteFault.CrashAfter)] WriteFault fault)
    {
        var expected = new List<string>();
        var writes = 0;
        var dying = new FaultyObjectStore(
            _archive.Objects, _ => Interlocked.Increment(ref writes) == write ? fault : WriteFault.None);
        await _archive.StartAsync(dying);
        await _output.ApplyAsync(isArchived: true);
        while (!dying.Crashed.IsCompleted) await WriteAsync(10);
        await _archive.StopAsync();

        await WriteAsync(10);
        await _archive.StartAsync();
        await _archive.StartTwinAsync();
        await WriteAsync(10);
        await _output.CaughtUpAsync();

        Assert.That(await _output.RowIdsAsync(), Is.EqualTo(expected.Order(StringComparer.Ordinal)));

        async Task WriteAsync(int rows)
        {
            for (var i = 0; i < rows; i++)
            {
                expected.Add($"{expected.Count:D6}");
                await _output.RowAsync(expected.Count % ArchiverHarness.Partitions, 1, expected[^1], "{}", "d");
            }
        }
    }

    [Test]
    public async Task What_was_there_when_the_option_is_taken_back_is_archived_and_then_the_log_is_let_go_of()
    {
        var group = ConsumerGroups.OfArchive("Hot-Devices");
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, 1, "a", "{}");
        await _output.CaughtUpAsync();
        Assert.That(await _archive.Log.GroupsAsync(), Does.Contain(group));
        await _output.RowAsync(0, 1, "b", "{}");
        await _output.ApplyAsync(isArchived: false);
        await _archive.StopAsync();

        await _archive.StartAsync();
        await Eventually.TrueAsync(
            async () => !(await _archive.Log.GroupsAsync()).Contains(group), "the group is let go of");
        await _output.RowAsync(0, 1, "c", "{}");

        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["a", "b"]));
    }

    [Test]
    public async Task What_was_trimmed_while_the_option_was_off_is_passed_over_when_it_is_on_again()
    {
        var group = ConsumerGroups.OfArchive("Hot-Devices");
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, 1, "a", "{}");
        await _output.CaughtUpAsync();
        await _output.ApplyAsync(isArchived: false);
        await Eventually.TrueAsync(
            async () => !(await _archive.Log.GroupsAsync()).Contains(group), "the group is let go of");
        string[] rows = ["b", "c", "d", "e", "f"];
        foreach (var row in rows) await _output.RowAsync(0, 1, row, $"{{\"long\":\"{new string('x', 3_000)}\"}}");
        var first = await _archive.Log.TrimAsync(new TopicPartition(_output.Topic, 0), beforeOffset: 4);
        Assert.That(first, Is.InRange(2, 4), "some are gone, and not all");

        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, 1, "z", "{}");
        await _output.CaughtUpAsync();
        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["a", .. rows[((int)first - 1)..], "z"]));
    }

    [Test]
    public async Task How_far_an_output_is_behind_is_told_until_its_rows_are_in_the_table()
    {
        _archive.With("RollAge", "00:10:00");
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        for (var i = 0; i < 3; i++) await _output.RowAsync(0, 1, $"{i}", "{}");
        await Eventually.TrueAsync(
            () => _archive.Status.OutputLags.GetValueOrDefault("Hot-Devices") is { Records: 3 } lag
                && lag.Time > TimeSpan.FromDays(1),
            "three rows of a day long ago wait");
        await _archive.StopAsync();
        await _archive.StartAsync();
        await Eventually.TrueAsync(
            () => _archive.Status.OutputLags.GetValueOrDefault("Hot-Devices") is { Records: 0 } lag
                && lag.Time == TimeSpan.Zero,
            "none waits");
    }

    [Test]
    public async Task A_record_that_is_no_row_is_a_dead_letter_of_its_topic()
    {
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.AppendAsync(0, record =>
        {
            record.Begin(1_764_000_000_000, []);
            record.End("not json"u8);
        });
        await _output.RowAsync(0, 1, "a", "{}");
        await _output.CaughtUpAsync();

        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["a"]));
        await using var letters = _archive.Log.OpenReader(new TopicPartition(Topics.DeadLetter, 0), 0);
        var found = new List<string>();
        foreach (var record in (await letters.TryReadAsync())!) found.Add(Encoding.UTF8.GetString(record.Value));
        Assert.That(found, Has.One.Contains("AR-0010").And.One.Contains(_output.Topic));
    }

    [Test]
    public async Task Merging_and_erasing_keep_the_other_rows()
    {
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        for (var i = 0; i < 60; i++)
        {
            await _output.RowAsync(i % 3, 1, $"{i:D2}", "{}", i % 3 == 0 ? null : $"pump-{i % 3}");
            if (i % 20 == 19) await _output.CaughtUpAsync();
        }

        var tables = await _archive.Get<ArchiveTables>().OutputsAsync(CancellationToken.None);
        Assert.That(tables.Select(table => table.Output), Is.EqualTo((string[])["hot-devices"]));
        while ((await _archive.Get<Compactor>().RunOnceAsync(tables[0], all: true, CancellationToken.None)).Done)
        {
            // Until nothing is left.
        }

        Assert.That((await _output.TableAsync())!.Files, Has.Count.EqualTo(1));
        Assert.That(await _output.RowIdsAsync(), Has.Count.EqualTo(60));
        var erased = await _archive.Get<DeviceErasure>().RunAsync("pump-1", CancellationToken.None);

        Assert.That(erased.Rows, Is.EqualTo(20));
        Assert.That(await _output.RowIdsAsync(),
            Is.EqualTo(Enumerable.Range(0, 60).Where(i => i % 3 != 1).Select(i => $"{i:D2}")));
        var proof = await _archive.Get<ErasureProver>().ProveAsync(tables[0], "pump-1", CancellationToken.None);
        Assert.That(proof.Records.Select(record => record.LogPartition), Is.EqualTo((int[])[0, 1, 2]));
        Assert.That((proof.ErasedRowsFound, proof.LaterRows), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public async Task Asked_for_again_it_goes_on_where_the_table_stands()
    {
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, 1, "a", "{}");
        await _output.CaughtUpAsync();
        await _output.ApplyAsync(isArchived: false);
        await Eventually.TrueAsync(async () => !(await _archive.Log.GroupsAsync())
            .Contains(ConsumerGroups.OfArchive("Hot-Devices")), "the group is let go of");

        await _output.RowAsync(0, 1, "b", "{}");
        await _output.ApplyAsync(isArchived: true);
        await _output.CaughtUpAsync();
        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["a", "b"]));
    }
}
