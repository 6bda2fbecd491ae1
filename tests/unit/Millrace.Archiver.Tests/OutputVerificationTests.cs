using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;

namespace Millrace.Archiver.Tests;

/// <summary>The checker knows which records of an output count, and sees each way in which its table differs.</summary>
public sealed class OutputVerificationTests
{
    private ArchiverHarness _archive = null!;
    private OutputHarness _output = null!;

    private ArchiveTable Table => _archive.Get<ArchiveTables>().Output("Hot-Devices");

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        _output = new OutputHarness(_archive, "Hot-Devices");
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        await _output.RowAsync(0, epoch: 1, "a", "{}", "pump-1");
        await _output.FenceAsync(0, epoch: 2);
        await _output.RowAsync(0, epoch: 1, "stale", "{}");
        await _output.RowAsync(0, epoch: 2, "b", "{\"n\":1}");
        await _output.AppendAsync(1, record =>
        {
            record.Begin(1_764_000_000_000, []);
            record.End("{\"by\":\"another\"}"u8);
        });
        await _output.CaughtUpAsync();
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task An_output_is_what_its_topic_has_less_what_does_not_count()
    {
        var parts = await ArchiveChecks.RunAsync(_archive, Table);

        Assert.That(parts.SelectMany(part => part.Examples), Is.Empty);
        Assert.That(parts.Select(part => part.LogChecksum), Is.EqualTo(parts.Select(part => part.ArchiveChecksum)));
        Assert.That(parts.Select(part => (part.Table, part.LogRecords, part.ArchiveRows, part.Fenced)), Is.EqualTo(new[]
        {
            ("hot-devices", 4L, 2L, 2L), ("hot-devices", 1, 1, 0), ("hot-devices", 0, 0, 0),
        }));

        var rest = await _archive.Get<ArchiveVerifier>().RunAsync(Table, 0, 2, default);
        Assert.That((rest.From, rest.LogRecords, rest.Fenced, rest.Holds), Is.EqualTo((2L, 2L, 1L, true)),
            "what came before tells who owns the partition");
    }

    [Test]
    public async Task What_an_erasure_took_out_is_not_missed()
    {
        await _archive.Get<DeviceErasure>().RunAsync("pump-1", default);

        var part = (await ArchiveChecks.RunAsync(_archive, Table))[0];
        Assert.That((part.Holds, part.Erased, part.ArchiveRows), Is.EqualTo((true, 1L, 1L)));
    }

    [Test]
    public async Task A_file_that_was_taken_out_is_missing()
    {
        var files = (await Table.Table.RefreshAsync())!.Files;
        await Table.Table.CommitAsync(new DeltaCommit
        {
            Id = "lost",
            Operation = "WRITE",
            Removes = [.. files.Keys.Select(path => new RemoveFile(path, 0, DataChange: true))],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });

        var parts = await ArchiveChecks.RunAsync(_archive, Table);
        Assert.That(parts.Select(part => part.Missing), Is.EqualTo(new[] { 2, 1, 0 }));
        Assert.That(parts[0].LogChecksum, Is.Not.EqualTo(parts[0].ArchiveChecksum));
        Assert.That(parts[0].Examples, Is.EqualTo(new[] { "0: missing", "3: missing" }));
    }

    [Test]
    public async Task A_row_of_a_stale_owner_is_unknown_and_one_that_nobody_can_decide_counted_apart()
    {
        var stretch = new Stretch("hot-devices", 0, 5, 8);
        stretch.AddRecord(5, 17, Expected.Fenced);
        stretch.AddRecord(6, 18, Expected.Doubtful);
        stretch.AddRecord(7, 19, Expected.Doubtful);
        stretch.AddRow(5, 17, null);
        stretch.AddRow(6, 18, null);

        var result = await stretch.ResultAsync(_ => new ValueTask<bool>(false));
        Assert.That((result.Unknown, result.Fenced, result.Missing, result.Undecided), Is.EqualTo((1L, 0L, 0L, 2L)));
        Assert.That(result.Examples, Is.EqualTo(new[] { "5: of a stale owner" }));
    }

    [Test]
    public async Task Without_the_log_a_double_is_told_and_a_gap_is_not()
    {
        var snapshot = (await Table.Table.RefreshAsync())!;
        var expectation = new Expectation(Table, snapshot, new TopicPartition(_output.Topic, 0), isWhole: false);
        var stretch = new TrimmedStretch(Table, 0, 0, 4, null, expectation);
        foreach (var offset in new[] { 0L, 3, 3 }) stretch.AddRow(
            offset, 1_764_000_000_000, "pump-1"u8, offset == 0 ? "of another hour" : null);

        var result = await stretch.ResultAsync(_ => new ValueTask<bool>(false));
        Assert.That((result.Doubled, result.Missing, result.Unaccounted, result.Trimmed),
            Is.EqualTo((1L, 0L, 2L, 4L)), "fences are no rows");
    }

    [Test]
    public async Task Whether_an_owner_was_stale_is_not_known_where_the_log_was_trimmed()
    {
        var source = new TopicPartition(_output.Topic, 0);
        var snapshot = (await Table.Table.RefreshAsync())!;
        foreach (var (from, expected) in new[]
        {
            (2L, new[] { Expected.Doubtful, Expected.Row }),
            (0L, [Expected.Doubtful, Expected.Fenced, Expected.Fenced, Expected.Row]),
        })
        {
            var expectation = new Expectation(Table, snapshot, source, isWhole: false);
            var found = new List<Expected>();
            await using var reader = _archive.Log.OpenReader(source, from);
            while (await reader.TryReadAsync() is { } batch)
            {
                foreach (var record in batch)
                    if (record.Offset >= from) found.Add(expectation.Of(record));
            }

            Assert.That(found, Is.EqualTo(expected), $"from {from} on");
        }
    }
}
