using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Delta;
using Millrace.Delta.Log;

namespace Millrace.Archiver.Tests;

/// <summary>The checker sees each way in which an archive can differ from its log, and only these.</summary>
public sealed class VerificationTests
{
    private const long At = 1_764_000_000_000;

    private ArchiverHarness _archive = null!;

    private ArchiveTable Telemetry => _archive.Get<ArchiveTables>().Telemetry;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (At, "{\"a\":1}"), (At + 1, "two"), (At + 2, ""));
        await _archive.SendAsync("device-2", (At, "three"), (At + 3_600_000, "four"));
        await _archive.CaughtUpAsync();
        await ArchiveChecks.HoldsAsync(_archive);
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task A_file_that_was_taken_out_is_missing()
    {
        var (table, file) = await AFileAsync();
        await CommitAsync(table, remove: file, add: null);

        var parts = await ArchiveChecks.RunAsync(_archive);
        Assert.That(parts.Sum(part => part.Missing), Is.EqualTo(file.Stats!.Records));
        Assert.That(parts.Where(part => part.Missing > 0).Select(part => part.LogChecksum),
            Is.Not.EqualTo(parts.Where(part => part.Missing > 0).Select(part => part.ArchiveChecksum)));
        Assert.That(parts.SelectMany(part => part.Examples), Has.Exactly((int)file.Stats.Records).EndsWith("missing"));
    }

    [Test]
    public async Task A_file_that_is_there_twice_doubles_its_rows()
    {
        var (table, file) = await AFileAsync();
        var twin = file with { Path = file.Path.Replace("part-", "twin-") };
        await _archive.Objects.PutAsync(table.KeyOf(twin), (await _archive.Objects.GetAsync(table.KeyOf(file)))!);
        await CommitAsync(table, remove: null, add: twin);

        Assert.That((await ArchiveChecks.RunAsync(_archive)).Sum(part => part.Doubled),
            Is.EqualTo(file.Stats!.Records));
    }

    [Test]
    public async Task A_row_that_says_something_else_is_different()
    {
        var (table, file) = await AFileAsync();
        var snapshot = (await table.RefreshAsync())!;
        var rows = await _archive.Get<TableFiles>().ReadAsync(Telemetry, snapshot, [file], CancellationToken.None);
        Change(rows.Text("body").Text(0));
        var forged = rows.Encode(Enumerable.Range(0, rows.Count).ToArray(), file.PartitionValues,
            ArchiveCompression.Zstd, new Files.RowGroupLimit(1_000, long.MaxValue));
        var now = TimeProvider.System.GetUtcNow();
        var add = await _archive.Get<TableFiles>().WriteAsync(Telemetry, forged, now, true, default);
        await CommitAsync(table, file, add);

        var parts = await ArchiveChecks.RunAsync(_archive);
        Assert.That(parts.Sum(part => part.Different), Is.EqualTo(1));
        Assert.That(parts.Where(part => !part.Holds).Select(part => part.LogChecksum),
            Is.Not.EqualTo(parts.Where(part => !part.Holds).Select(part => part.ArchiveChecksum)));

        static unsafe void Change(ReadOnlySpan<byte> text)
        {
            fixed (byte* first = text) first[0]++;
        }
    }

    [Test]
    public async Task A_stretch_begins_where_it_is_told()
    {
        var part = (await ArchiveChecks.RunAsync(_archive)).First(one => one.LogRecords > 1);

        var rest = await _archive.Get<ArchiveVerifier>().RunAsync(Telemetry, part.Partition, part.To - 1, default);
        var none = await _archive.Get<ArchiveVerifier>().RunAsync(Telemetry, part.Partition, part.To, default);

        Assert.That((rest.From, rest.To, rest.LogRecords, rest.Holds), Is.EqualTo((part.To - 1, part.To, 1, true)));
        Assert.That(none.From, Is.EqualTo(none.To));
    }

    private async Task<(DeltaTable Table, AddFile File)> AFileAsync()
    {
        var table = Telemetry.Table;
        return (table, (await table.RefreshAsync())!.Files.Values.OrderByDescending(file => file.Bytes).First());
    }

    private static async Task CommitAsync(DeltaTable table, AddFile? remove, AddFile? add)
    {
        var result = await table.CommitAsync(new DeltaCommit
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "WRITE",
            Adds = add is null ? [] : [add],
            Removes = remove is null ? [] : [new RemoveFile(remove.Path, 0, DataChange: true)],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
        Assert.That(result.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
    }
}
