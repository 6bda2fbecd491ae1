using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Rewriting;
using Millrace.Archiver.Rows;
using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

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
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00")
            .With("PromotedColumns:0:Name", "a").With("PromotedColumns:0:Path", "a").MadeAsync();
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (At, "{\"a\":1.5,\"b\":2}"), (At + 1, "two"), (At + 2, ""));
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
        var rows = await RowsAsync(table, file);
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

    [TestCase("b", "Double", 1, Description = "what the column has is another field")]
    [TestCase("c", "Double", 0, Description = "the body does not say: the column was of another path then")]
    [TestCase("b", "String", 0, Description = "a column of the new type is not there yet")]
    public async Task A_promoted_value_that_is_not_the_bodys_is_different(string path, PromotedType type, int different)
    {
        var other = new ArchiverOptions
        {
            PromotedColumns = [new PromotedColumnOptions { Name = "a", Path = path, Type = type }],
        };
        var verifier = new ArchiveVerifier(_archive.Get<TableFiles>(), _archive.Get<IEventLog>(),
            _archive.Get<IDeadLetterStore>(), Options.Create(other));
        var (_, file) = await AFileAsync();
        var parts = new List<Verification.Verification>();
        for (var partition = 0; partition < ArchiverHarness.Partitions; partition++)
            parts.Add(await verifier.RunAsync(Telemetry, partition, 0, CancellationToken.None));

        Assert.That(file.Stats!.Find("a")!.Min, Is.EqualTo(1.5), "it is there, and is a's");
        Assert.That(parts.Sum(part => part.Different), Is.EqualTo(different));
        Assert.That(parts.SelectMany(part => part.Examples),
            Has.Exactly(different).EndsWith("a is not the body's"));
    }

    [Test]
    public async Task A_file_in_the_folder_of_another_hour_is_different()
    {
        var (table, file) = await AFileAsync();
        var twin = file with
        {
            Path = file.Path.Replace("hour=16", "hour=15"),
            PartitionValues = new Dictionary<string, string>(file.PartitionValues) { ["hour"] = "15" },
        };
        await _archive.Objects.PutAsync(table.KeyOf(twin), (await _archive.Objects.GetAsync(table.KeyOf(file)))!);
        await CommitAsync(table, file, twin);

        var parts = await ArchiveChecks.RunAsync(_archive);
        Assert.That(parts.Sum(part => part.Different), Is.EqualTo(file.Stats!.Records));
        Assert.That(parts.SelectMany(part => part.Examples), Has.All.EndsWith("in the folder of another hour"));
    }

    [TestCase("2025-11-24T16:00:00Z", "2025-11-24T16:00:00.002Z")]
    [TestCase("2025-11-24T17:00:00.000+01:00", "2025-11-24T16:00:00.002345Z")]
    public async Task Times_of_statistics_may_be_written_as_others_do(string min, string max)
    {
        var (table, file) = await AFileAsync();
        await CommitAsync(table, file, await WithStatsAsync(table, file, new ColumnStats("enqueued_at", min, max, 0)));

        Assert.That((await ArchiveChecks.RunAsync(_archive)).SelectMany(part => part.Examples), Is.Empty);
    }

    [TestCase("device_id", "device-0", "device-0")]
    [TestCase("event_at", "2025-11-24T16:00:00.001Z", "2025-11-24T17:59:59.999Z")]
    [TestCase("a", 1.6, 9.0)]
    public async Task A_row_that_readers_pass_over_by_the_tables_word_is_different(
        string column, object min, object max)
    {
        var (table, file) = await AFileAsync();
        var rows = await RowsAsync(table, file);
        var outside = Enumerable.Range(0, rows.Count).Count(row => column switch
        {
            "event_at" => rows.EnqueuedAt[row] == At * 1000,
            "a" => rows.Value<double>("a").Has(row),
            _ => true,
        });
        Assert.That(outside, Is.GreaterThan(0));
        await CommitAsync(table, file, await WithStatsAsync(table, file, new ColumnStats(column, min, max, 0)));

        var parts = await ArchiveChecks.RunAsync(_archive);
        Assert.That(parts.Sum(part => part.Different), Is.EqualTo(outside));
        Assert.That(parts.SelectMany(part => part.Examples),
            Has.Exactly(outside).EndsWith($"{column} is beyond what the table says of the file"));
    }

    [TestCase("device_id", true)]
    [TestCase("device_id", false)]
    [TestCase("enqueued_at", true)]
    [TestCase("enqueued_at", false)]
    [TestCase("a", true)]
    public async Task A_row_that_readers_pass_over_by_its_row_groups_word_is_different(string column, bool isLeast)
    {
        var (table, file) = await AFileAsync();
        var rows = await RowsAsync(table, file);
        var (all, numbers) = (Enumerable.Range(0, rows.Count), rows.Value<double>("a"));
        var (said, forged, beyond) = column switch
        {
            "device_id" => Bound(all, row => Encoding.UTF8.GetString(rows.Device.Text(row)), isLeast,
                Encoding.UTF8.GetBytes, (id, by) => $"{id[..^1]}{(char)(id[^1] + by)}"),
            "enqueued_at" => Bound(
                all, row => rows.EnqueuedAt[row], isLeast, BitConverter.GetBytes, (at, by) => at + by),
            _ => Bound(
                all.Where(numbers.Has), row => numbers[row], isLeast, BitConverter.GetBytes, (a, by) => a + by),
        };
        var content = (await _archive.Objects.GetAsync(table.KeyOf(file)))!;
        Assert.That(Forge(content, said, forged), Is.Positive);
        await _archive.Objects.PutAsync(table.KeyOf(file), content);

        var parts = await ArchiveChecks.RunAsync(_archive);
        Assert.That(parts.Sum(part => part.Different), Is.EqualTo(beyond).And.Positive);
        Assert.That(parts.SelectMany(part => part.Examples),
            Has.Exactly(beyond).EndsWith($"{column} is beyond what the file says of the row group"));
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
        var files = (await table.RefreshAsync())!.Files.Values;
        return (table, files.Single(file => file.Stats!.Find("a")!.Min is not null));
    }

    /// <summary>
    /// A column's least or greatest value as files write it, one that is further within, and how many rows are beyond
    /// that one.
    /// </summary>
    private static (byte[] Said, byte[] Forged, int Beyond) Bound<T>(
        IEnumerable<int> rows, Func<int, T> of, bool isLeast, Func<T, byte[]> bytesOf, Func<T, int, T> moved)
    {
        var values = rows.Select(of).ToList();
        var bound = isLeast ? values.Min()! : values.Max()!;
        return (bytesOf(bound), bytesOf(moved(bound, isLeast ? 1 : -1)), values.Count(value => value!.Equals(bound)));
    }

    /// <summary>Replaces the value in what the file says of its row groups, which is at its end.</summary>
    private static int Forge(byte[] content, byte[] value, byte[] other)
    {
        var count = BitConverter.ToInt32(content, content.Length - 8);
        var footer = content.AsSpan(content.Length - 8 - count, count);
        var found = 0;
        for (int at; (at = footer.IndexOf(value)) >= 0; found++) other.CopyTo(footer[at..]);
        return found;
    }

    /// <summary>The same file under another name, with other statistics of one column.</summary>
    private async Task<AddFile> WithStatsAsync(DeltaTable table, AddFile file, ColumnStats stats)
    {
        var twin = file with
        {
            Path = file.Path.Replace("part-", "twin-"),
            Stats = file.Stats! with
            {
                Columns = [.. file.Stats.Columns.Select(one => one.Column == stats.Column ? stats : one)],
            },
        };
        await _archive.Objects.PutAsync(table.KeyOf(twin), (await _archive.Objects.GetAsync(table.KeyOf(file)))!);
        return twin;
    }

    private async Task<RowSet> RowsAsync(DeltaTable table, AddFile file) => await _archive.Get<TableFiles>()
        .ReadAsync(Telemetry, (await table.RefreshAsync())!, [file], CancellationToken.None);

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
