using System.Text.Json;
using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;
using Millrace.TestKit;

namespace Millrace.Archiver.Tests;

public sealed class DeadLetterTests
{
    private const long At = 1_764_000_000_000;
    private static readonly TopicPartition Letters = new(Topics.DeadLetter, 0);

    private ArchiverHarness _archive = null!;

    [SetUp]
    public async Task Make() => _archive = await new ArchiverHarness().With("RecordSizeMax", "1KiB").MadeAsync();

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task What_cannot_be_archived_is_kept_with_its_reason_and_the_rest_goes_on()
    {
        using var records = new RecordBatchBuilder();
        records.Begin(At, default, hasKey: false);
        records.End("no key"u8);
        records.Begin(At, "good"u8);
        records.End("one"u8);
        records.Begin(At, [0xc3, 0x28]);
        records.End("key is no text"u8);
        records.Begin(At, "huge"u8);
        records.End(new byte[2000]);
        records.Begin(At, "header"u8);
        records.AddHeader("app.x"u8, [0xff]);
        records.End("header is no text"u8);
        records.Begin(long.MaxValue, "late"u8);
        records.End("after the year 9999"u8);
        records.Begin(TimeProvider.System.GetUtcNow().AddHours(2).ToUnixTimeMilliseconds(), "ahead"u8);
        records.End("further ahead than is believed"u8);
        records.Begin(At, "headers"u8);
        records.AddHeader(RecordDefects.CutHeader, "70000"u8);
        records.End("more headers than fit"u8);
        records.Begin(At, "good"u8);
        records.End("two"u8);
        await _archive.AppendAsync(1, records);
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync("SELECT body_text FROM telemetry ORDER BY log_offset"),
            Is.EqualTo(new[] { "one", "two" }));
        var letters = await LettersAsync();
        Assert.That(letters.Select(letter => (letter.Offset, letter.ErrorCode)), Is.EqualTo(new[]
        {
            (0L, "AR-0001"), (2L, "AR-0002"), (3L, "AR-0003"), (4L, "AR-0004"), (5L, "AR-0005"),
            (6L, "AR-0005"), (7L, "AR-0004"),
        }));
        Assert.That(letters[0].Id, Is.EqualTo("archiver~telemetry~1~0~-1"));
        Assert.That(letters[2].Value, Has.Length.EqualTo(2000), "kept in full");
        Assert.That(letters[3].Headers.Single().Value, Is.EqualTo(new byte[] { 0xff }));
    }

    [Test]
    public async Task Nothing_but_dead_letters_moves_the_position_too()
    {
        using var records = new RecordBatchBuilder();
        records.Begin(At, default, hasKey: false);
        records.End("no key"u8);
        await _archive.AppendAsync(0, records);
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync("SELECT * FROM telemetry"), Is.Empty);
        Assert.That(await LettersAsync(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_replay_makes_one_row_however_often_it_is_asked_for()
    {
        var letter = await DieOfSizeAsync();
        _archive.With("RecordSizeMax", "1MiB");
        await _archive.StartAsync();
        var store = _archive.Get<IDeadLetterStore>();
        for (var time = 0; time < 3; time++)
        {
            await store.SetStateAsync(letter.Id, DeadLetterState.Replaying);
            await NoticeAsync(letter.Id);
            await Eventually.TrueAsync(
                async () => (await store.FindAsync(letter.Id))!.State == DeadLetterState.Replayed, "replayed");
        }

        Assert.That(
            await _archive.SqlAsync("SELECT device_id, log_partition, log_offset, octet_length(body) FROM telemetry"),
            Is.EqualTo(new[] { "huge|2|0|2000" }));
        Assert.That((await _archive.TableAsync())!.PositionOf(letter.Id), Is.EqualTo(1));
    }

    [Test]
    public async Task A_replay_that_was_asked_for_before_the_start_is_done()
    {
        var letter = await DieOfSizeAsync();
        _archive.With("RecordSizeMax", "1MiB").With("ReplayScanInterval", "01:00:00");
        await _archive.StartAsync();
        await _archive.Get<IDeadLetterStore>().SetStateAsync(letter.Id, DeadLetterState.Replaying);
        await _archive.StopAsync();
        await _archive.StartAsync();

        await Eventually.TrueAsync(
            async () => (await _archive.SqlAsync("SELECT 1 FROM telemetry")).Count == 1, "a row");
    }

    [Test]
    public async Task A_replay_of_an_erased_device_makes_no_row_and_the_letter_loses_its_content()
    {
        var letter = await DieOfSizeAsync();
        _archive.With("RecordSizeMax", "1MiB");
        await _archive.StartAsync();
        await _archive.Get<DeviceEraser>().RunAsync(
            _archive.Get<ArchiveTables>().Telemetry, "huge", CancellationToken.None);
        await _archive.Get<IDeadLetterStore>().SetStateAsync(letter.Id, DeadLetterState.Replaying);
        await NoticeAsync(letter.Id);

        await Eventually.TrueAsync(async () => (await LettersAsync()).Count > 1, "the letter came again");
        var again = (await LettersAsync())[1];
        Assert.That((again.Id, again.ErrorCode), Is.EqualTo((letter.Id, "AR-0011")));
        Assert.That((again.Key, again.Headers.Count, again.Value.Length), Is.EqualTo(((byte[]?)null, 0, 0)));
        Assert.That(await _archive.SqlAsync("SELECT 1 FROM telemetry"), Is.Empty);
        await ArchiveChecks.HoldsAsync(_archive);
    }

    [Test]
    public async Task An_erasure_empties_the_letters_of_the_device_and_the_proof_looks_at_them()
    {
        var letter = await DieOfSizeAsync();
        await _archive.StartAsync();
        var store = _archive.Get<IDeadLetterStore>();
        var ofQuery = letter with { Stage = DeadLetterStages.Query, Query = "q", Reason = "huge is too large" };
        var ofOther = letter with { Offset = 7, Key = "other"u8.ToArray() };
        await store.WriteAsync(Letters, [ofQuery, ofOther], new SinkPosition(2));
        await _archive.Get<DeviceEraser>().RunAsync(
            _archive.Get<ArchiveTables>().Telemetry, "huge", CancellationToken.None);
        var prover = _archive.Get<DeviceProver>();
        var before = await prover.ProveAsync("huge", CancellationToken.None);
        Assert.That((before.DeadLettersFound, before.Unproven.Count), Is.EqualTo((2, 1)));

        var erasing = _archive.Get<DeviceErasure>().RunAsync("huge", CancellationToken.None).AsTask();
        await Eventually.TrueAsync(async () => (await LettersAsync()).Count == 3, "two of them come again");
        var emptied = (await LettersAsync())[1..];
        await store.WriteAsync(Letters, emptied, new SinkPosition(5));

        Assert.That((await erasing).DeadLetters, Is.EqualTo(2));
        Assert.That((await prover.ProveAsync("huge", CancellationToken.None)).Unproven, Is.Empty);
        foreach (var id in new[] { letter.Id, ofQuery.Id })
        {
            var left = (await store.FindAsync(id))!.Letter;
            Assert.That((left.Key, left.Headers.Count, left.Value.Length, left.ErrorCode),
                Is.EqualTo(((byte[]?)null, 0, 0, "AR-0011")));
            Assert.That(left.Reason, Does.Not.Contain("huge"));
        }

        Assert.That((await store.FindAsync(ofOther.Id))!.Letter.Value, Has.Length.EqualTo(2000));
        var again = letter with { Offset = 8, FirstFailedAt = TimeProvider.System.GetUtcNow().AddHours(1) };
        await store.WriteAsync(Letters, [again], new SinkPosition(6));
        Assert.That((await prover.ProveAsync("huge", CancellationToken.None)).DeadLettersFound, Is.EqualTo(1),
            "its record is of before, whenever it failed");
    }

    [Test]
    public async Task What_is_replayed_while_its_device_is_erased_is_erased_too([Range(1, 6)] int seed)
    {
        var letter = await DieOfSizeAsync();
        _archive.With("RecordSizeMax", "1MiB");
        await _archive.StartAsync();
        await _archive.Get<IDeadLetterStore>().SetStateAsync(letter.Id, DeadLetterState.Replaying);
        var replaying = NoticeAsync(letter.Id);
        for (var i = 0; i < seed; i++) await Task.Yield();

        await _archive.Get<DeviceEraser>().RunAsync(
            _archive.Get<ArchiveTables>().Telemetry, "huge", CancellationToken.None);
        await replaying;
        await Eventually.TrueAsync(async () => (await LettersAsync()).Count > 1
            || (await _archive.Get<IDeadLetterStore>().FindAsync(letter.Id))!.State == DeadLetterState.Replayed,
            "done");

        Assert.That(await _archive.SqlAsync("SELECT 1 FROM telemetry"), Is.Empty);
    }

    [Test]
    public async Task A_replay_that_fails_again_is_a_dead_letter_again_with_its_first_failure()
    {
        var letter = await DieOfSizeAsync();
        await _archive.StartAsync();
        await _archive.Get<IDeadLetterStore>().SetStateAsync(letter.Id, DeadLetterState.Replaying);
        await NoticeAsync(letter.Id);

        await Eventually.TrueAsync(async () => (await LettersAsync()).Count > 1, "the letter came again");
        var again = (await LettersAsync())[1];
        Assert.That(again.Id, Is.EqualTo(letter.Id));
        Assert.That(again.FirstFailedAt, Is.EqualTo(letter.FirstFailedAt));
        Assert.That(again.LastFailedAt, Is.GreaterThan(letter.LastFailedAt));
        Assert.That(await _archive.SqlAsync("SELECT 1 FROM telemetry"), Is.Empty);
    }

    /// <summary>
    /// A record that was too large, and its letter in the store as the platform's sink puts it there.
    /// </summary>
    private async Task<DeadLetter> DieOfSizeAsync()
    {
        using var records = new RecordBatchBuilder();
        records.Begin(At, "huge"u8);
        records.End(new byte[2000]);
        await _archive.AppendAsync(2, records);
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();
        var letter = (await LettersAsync()).Single();
        await _archive.Get<IDeadLetterStore>().WriteAsync(Letters, [letter], new SinkPosition(1));
        await _archive.StopAsync();
        return letter;
    }

    private async Task NoticeAsync(string id)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(At, default, hasKey: false);
        records.End(JsonSerializer.SerializeToUtf8Bytes(
            new ControlNotice(ControlKinds.DeadLetterReplay, id), ContractJson.Default.ControlNotice));
        await _archive.Log.AppendAsync(new TopicPartition(Topics.Control, 0), records);
    }

    private async Task<List<DeadLetter>> LettersAsync()
    {
        var letters = new List<DeadLetter>();
        await using var reader = _archive.Log.OpenReader(Letters, 0);
        while (await reader.TryReadAsync() is { } batch)
        {
            foreach (var record in batch)
                letters.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!);
        }

        return letters;
    }
}
