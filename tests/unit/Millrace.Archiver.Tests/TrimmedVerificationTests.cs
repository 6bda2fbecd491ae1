using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Tests;

/// <summary>What the checker tells of offsets that the log has no more, by what the table alone says.</summary>
public sealed class TrimmedVerificationTests
{
    private const long At = 1_764_000_000_000;
    private const long MinuteMs = 60_000;
    private const int Messages = 300;
    private const string Device = "device-1";

    private readonly int _partition = Partitioner.PartitionOf("device-1"u8, ArchiverHarness.Partitions);
    private ArchiverHarness _archive = null!;
    private long _first;

    private ArchiveTable Telemetry => _archive.Get<ArchiveTables>().Telemetry;

    private TopicPartition Source => new(Topics.Telemetry, _partition);

    /// <summary>Five hours of a device in many files, of which the log has no more than the last.</summary>
    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        await _archive.StartAsync();
        for (var i = 0; i < Messages; i += 5)
        {
            await _archive.SendAsync(Device, [.. Enumerable.Range(i, 5)
                .Select(n => (At + (n * MinuteMs), new string('x', 500)))]);
        }

        await _archive.CaughtUpAsync();
        await ArchiveChecks.HoldsAsync(_archive);
        _first = await _archive.Log.TrimAsync(Source, Messages - 5);
        Assert.That(_first, Is.GreaterThan(Messages / 2), "most is gone");
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task Rows_that_are_there_once_each_hold_and_the_rest_is_compared()
    {
        var trimmed = await VerifyAsync(1);
        var rest = await VerifyAsync(trimmed.To);

        Assert.That((trimmed.From, trimmed.To, trimmed.LogRecords, trimmed.ArchiveRows, trimmed.Trimmed),
            Is.EqualTo((1L, _first, 0L, _first - 1, _first - 1)));
        Assert.That((trimmed.Unaccounted, trimmed.Holds), Is.EqualTo((0L, true)));
        Assert.That((rest.From, rest.To, rest.LogRecords, rest.ArchiveRows, rest.Trimmed, rest.Holds),
            Is.EqualTo((_first, (long)Messages, Messages - _first, Messages - _first, 0L, true)));
    }

    [Test]
    public async Task A_gap_is_missing()
    {
        var (from, to) = await DropAsync(some => some.Skip(3).Take(1));

        var trimmed = await VerifyAsync(0);
        Assert.That((trimmed.Missing, trimmed.Unaccounted, trimmed.Holds), Is.EqualTo((to - from, 0L, false)));
        Assert.That(trimmed.Examples[0], Is.EqualTo($"{from}: missing"));
        Assert.That((await VerifyAsync(from)).Missing, Is.EqualTo(to - from), "the row before it is known");
    }

    [Test]
    public async Task A_gap_up_to_what_the_log_has_is_missing()
    {
        await DropAsync(some => some.Skip(2));

        var trimmed = await VerifyAsync(0);
        Assert.That(trimmed.Missing, Is.EqualTo(_first - trimmed.ArchiveRows).And.GreaterThan(0));
    }

    [Test]
    public async Task What_comes_before_the_first_row_may_never_have_been_archived()
    {
        var (_, to) = await DropAsync(some => some.Take(2));

        var trimmed = await VerifyAsync(0);
        Assert.That((trimmed.Unaccounted, trimmed.Missing, trimmed.Holds), Is.EqualTo((to, 0L, true)));
        Assert.That((await VerifyAsync(1)).Unaccounted, Is.EqualTo(to - 1), "of what was asked for");
    }

    [Test]
    public async Task A_file_that_is_there_twice_doubles_its_rows()
    {
        var file = (await TrimmedFilesAsync())[2];
        var twin = file with { Path = file.Path.Replace("part-", "twin-") };
        var table = Telemetry.Table;
        await _archive.Objects.PutAsync(table.KeyOf(twin), (await _archive.Objects.GetAsync(table.KeyOf(file)))!);
        await CommitAsync([], [twin]);

        var trimmed = await VerifyAsync(0);
        Assert.That((trimmed.Doubled, trimmed.ArchiveRows - _first),
            Is.EqualTo((file.Stats!.Records, file.Stats.Records)));
    }

    [Test]
    public async Task What_has_a_dead_letter_is_not_missing()
    {
        var (from, to) = await DropAsync(some => some.Skip(3).Take(1));
        var letter = new DeadLetter(DeadLetterStages.Archiver, null, 0, Source.Topic, _partition, from, -1, "AR-0003",
            "It is too large.", default, default, null, At, [], []);
        await _archive.Get<IDeadLetterStore>().WriteAsync(new TopicPartition(Topics.DeadLetter, 0), [letter],
            new SinkPosition(1));

        var trimmed = await VerifyAsync(0);
        Assert.That((trimmed.DeadLettered, trimmed.Missing), Is.EqualTo((1L, to - from - 1)));
    }

    [Test]
    public async Task What_retention_may_have_removed_is_unaccounted_and_a_gap_behind_it_missing()
    {
        const long removed = 60;
        var retained = DateTimeOffset.FromUnixTimeMilliseconds(At + (100 * MinuteMs));
        await _archive.Get<ArchiveRetention>()
            .RunAsync(Telemetry, TimeProvider.System.GetUtcNow() - retained, default);
        var whole = await VerifyAsync(0);
        Assert.That((whole.Unaccounted, whole.Missing, whole.Holds), Is.EqualTo((removed, 0L, true)), "an hour");

        var near = await DropAsync(some => some.Skip(1).Take(1));
        var far = await DropAsync(some => some.TakeLast(1));
        var damaged = await VerifyAsync(0);
        Assert.That(damaged.Unaccounted, Is.EqualTo(removed + near.To - near.From), "an hour at its edge may be gone");
        Assert.That(damaged.Missing, Is.EqualTo(far.To - far.From));
    }

    [Test]
    public async Task What_an_erasure_may_have_taken_out_is_unaccounted_and_what_is_there_yet_not_erased()
    {
        var file = (await TrimmedFilesAsync())[2];
        var content = await _archive.Objects.GetAsync(Telemetry.Table.KeyOf(file));
        await _archive.Get<DeviceEraser>().RunAsync(Telemetry, Device, default);

        var erased = await VerifyAsync(0);
        Assert.That((erased.Unaccounted, erased.ArchiveRows, erased.Holds), Is.EqualTo((_first, 0L, true)));

        var again = file with { Path = file.Path.Replace("part-", "again-") };
        await _archive.Objects.PutAsync(Telemetry.Table.KeyOf(again), content!);
        await CommitAsync([], [again]);
        Assert.That((await VerifyAsync(0)).NotErased, Is.EqualTo(file.Stats!.Records));
    }

    private Task<Verification.Verification> VerifyAsync(long from) =>
        _archive.Get<ArchiveVerifier>().RunAsync(Telemetry, _partition, from, default).AsTask();

    /// <summary>The files all of whose rows the log has no more, in the order of their offsets.</summary>
    private async Task<List<AddFile>> TrimmedFilesAsync() =>
    [
        .. (await Telemetry.Table.RefreshAsync())!.Files.Values
            .Where(file => OffsetsOf(file).To <= _first).OrderBy(file => OffsetsOf(file).From),
    ];

    /// <summary>Takes files out of the table, and says what offsets they had.</summary>
    private async Task<(long From, long To)> DropAsync(Func<IEnumerable<AddFile>, IEnumerable<AddFile>> which)
    {
        var files = which(await TrimmedFilesAsync()).ToList();
        await CommitAsync(files, []);
        return (OffsetsOf(files[0]).From, OffsetsOf(files[^1]).To);
    }

    private static (long From, long To) OffsetsOf(AddFile file) =>
        file.Stats!.Find("log_offset") is { Min: long least, Max: long greatest }
            ? (least, greatest + 1)
            : throw new InvalidOperationException(file.Path);

    private async Task CommitAsync(IReadOnlyList<AddFile> removes, IReadOnlyList<AddFile> adds)
    {
        var result = await Telemetry.Table.CommitAsync(new DeltaCommit
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "WRITE",
            Adds = adds,
            Removes = [.. removes.Select(file => new RemoveFile(file.Path, 0, DataChange: true))],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
        Assert.That(result.Outcome, Is.EqualTo(DeltaCommitOutcome.Committed));
    }
}
