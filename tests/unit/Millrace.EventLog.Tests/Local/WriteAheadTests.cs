using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Tests.Local;

/// <summary>Small batches of several partitions share a sync; PowerLossTests says that nothing is lost by it.</summary>
[TestFixture(false)]
[TestFixture(true)]
public class WriteAheadTests(bool answersBeside)
{
    private const string Folder = "/data/log/wal";
    private static readonly TopicPartition[] Partitions =
        [.. Enumerable.Range(0, 5).Select(number => new TopicPartition("t", number))];

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private ForgetfulDisk _disk = null!;
    private Ledger _ledger = null!;

    [SetUp]
    public void NewDisk() => (_disk, _ledger) = (new ForgetfulDisk(new Random(1)), new Ledger());

    [Test]
    public async Task What_waits_in_several_partitions_is_committed_by_one_sync()
    {
        await using var log = await OpenAsync();
        await TogetherAsync(log);
        var (syncs, files) = (_disk.Syncs, WriteAheadFiles());
        await TogetherAsync(log);
        Assert.That(files, Has.Length.EqualTo(1));
        Assert.That(_disk.Syncs - syncs, Is.InRange(1, 2), "the first to come by itself or not, the others together");
        await VerifyAsync(_disk.AfterPowerLoss());
    }

    [Test]
    public async Task Off_or_with_large_batches_each_partition_syncs_its_own_file([Values] bool off)
    {
        await using var log = await OpenAsync(options =>
        {
            if (off) options.WriteAheadBytes = default;
            else options.SharedBatchBytesMax = new ByteSize(60);
        });
        await TogetherAsync(log);
        var syncs = _disk.Syncs;
        await TogetherAsync(log);
        Assert.That(_disk.Syncs - syncs, Is.EqualTo(Partitions.Length));
        Assert.That(WriteAheadFiles(), Is.Empty);
    }

    [Test]
    public async Task Two_files_are_enough_however_much_is_appended_and_none_is_left_of_a_log_that_was_closed()
    {
        var log = await OpenAsync();
        await using (log)
        {
            for (var i = 0; i < 100; i++) await TogetherAsync(log);
            var shared = new SharedSyncs();
            for (var i = 0; i < 100; i++) await TogetherAsync(log);
            Assert.That(shared.Count, Is.GreaterThan(0), "full files do not end the sharing");
            Assert.That(WriteAheadFiles(), Has.Length.EqualTo(2));
            foreach (var file in WriteAheadFiles()) Assert.That(_disk.LengthOf(file), Is.EqualTo(4_000));
        }

        Assert.That(WriteAheadFiles(), Is.Empty);
        await VerifyAsync(_disk.AfterPowerLoss());
    }

    [Test]
    public async Task A_frame_that_is_damaged_at_any_byte_is_refused_when_others_follow([Values(1, 2)] int frames)
    {
        var log = await OpenAsync(options => options.WriteAheadBytes = ByteSize.FromKiB(64));
        await TogetherAsync(log);
        var (file, end) = (WriteAheadFiles().Single(), 0L);
        for (var i = 1; i < frames + 1; i++)
        {
            if (i == frames) end = EndOfBytes(file);
            await TogetherAsync(log);
        }

        var disk = _disk.AfterPowerLoss();
        await log.DisposeAsync();
        for (var at = 32; at < end; at++)
        {
            disk.Corrupt(file, bytes => bytes[at] ^= 0x20);
            Assert.That(() => Open(disk), Throws.TypeOf<MillraceException>()
                .With.Message.Contains("LOG-0002").And.Message.Contains(file), $"byte {at}");
            disk.Corrupt(file, bytes => bytes[at] ^= 0x20);
        }

        await VerifyAsync(disk);
    }

    [Test]
    public async Task A_last_frame_that_is_damaged_is_refused_when_the_next_file_was_begun()
    {
        var log = await OpenAsync();
        while (WriteAheadFiles().Length < 2) await TogetherAsync(log);
        var (file, end) = ($"{Folder}/0", EndOfBytes($"{Folder}/0"));
        var disk = _disk.AfterPowerLoss();
        await log.DisposeAsync();
        disk.Corrupt(file, bytes => bytes[end - 1] ^= 1);
        Assert.That(() => Open(disk), Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0002"));
        disk.Corrupt(file, bytes => bytes[end - 1] ^= 1);
        await VerifyAsync(disk);
    }

    [Test]
    public async Task Segments_that_were_trimmed_meanwhile_are_not_brought_back()
    {
        await using var log = await OpenAsync();
        await TogetherAsync(log);
        await TogetherAsync(log);
        foreach (var partition in Partitions) await _ledger.TrimAsync(log, partition, 2);
        var disk = _disk.AfterPowerLoss();
        await using var again = Open(disk);
        foreach (var partition in Partitions)
            Assert.That(await again.RangeAsync(partition), Is.EqualTo(new OffsetRange(2, 2)));
    }

    [Test]
    public async Task A_write_ahead_log_that_fails_fails_its_appends_alone_and_is_tried_again()
    {
        await using var log = await OpenAsync();
        await TogetherAsync(log);
        _disk.FailsIn = (path, _) => path.StartsWith(Folder, StringComparison.Ordinal);
        var appends = Together(log);
        Assert.That(async () => await Task.WhenAll(appends), Throws.TypeOf<MillraceException>()
            .With.Message.Contains("LOG-0009"));
        Assert.That(appends.Count(append => append.IsFaulted), Is.GreaterThan(1), "those that shared the sync");

        _disk.FailsIn = (_, _) => false;
        var shared = new SharedSyncs();
        await TogetherAsync(log);
        Assert.That(shared.Count, Is.Zero, "for a second each syncs its own file");
        _time.Advance(TimeSpan.FromSeconds(2));
        await TogetherAsync(log);
        Assert.That(shared.Count, Is.GreaterThan(0));
        await VerifyAsync(_disk.AfterPowerLoss(), refusedAreGone: true);
    }

    [Test]
    public async Task What_it_covers_is_durable_before_one_that_failed_begins_anew([Range(1, 8)] int seed)
    {
        _disk = new ForgetfulDisk(new Random(seed));
        await using var log = await OpenAsync();
        await TogetherAsync(log);
        _disk.FailsIn = (path, _) => path.StartsWith(Folder, StringComparison.Ordinal);
        Assert.That(async () => await Task.WhenAll(Together(log, Partitions[2..])), Throws.TypeOf<MillraceException>());
        _disk.FailsIn = (_, _) => false;
        _time.Advance(TimeSpan.FromSeconds(2));
        var shared = new SharedSyncs();
        await Task.WhenAll(Together(log, Partitions[2..]));
        Assert.That(shared.Count, Is.GreaterThan(0));
        await VerifyAsync(_disk.AfterPowerLoss(), refusedAreGone: true);
    }

    [Test]
    public async Task A_file_is_used_again_only_when_all_segments_that_it_covers_are_durable()
    {
        var log = await OpenAsync();
        await TogetherAsync(log);
        _disk.FailsIn = (path, isSync) => isSync && path.Contains("/topics/", StringComparison.Ordinal);
        for (var i = 0; i < 50; i++)
        {
            await ((Task)Task.WhenAll(Together(log))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.That(async () => await TogetherAsync(log), Throws.TypeOf<MillraceException>()
            .With.Message.Contains("LOG-0009"), "both are full, and no segment can be synced");
        var disk = _disk.AfterPowerLoss();
        await log.DisposeAsync();
        await VerifyAsync(disk);
    }

    [Test]
    public async Task A_segment_whose_sync_failed_gets_back_what_only_the_write_ahead_log_had()
    {
        await using var log = await OpenAsync();
        await TogetherAsync(log);
        await TogetherAsync(log);
        var first = _disk.Calls;
        _disk.FaultAt = call => call == first + 2 ? Fault.Error : Fault.None;
        Assert.That(async () => await _ledger.AppendAsync(log, Partitions[4], 1, 10),
            Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0009"), "its sync fails");

        // The log goes on in a new file; of the old one, whatever was not synced is gone from the disk's memory.
        await _ledger.AppendAsync(log, Partitions[4], 1, 10);
        await log.DisposeAsync();
        await VerifyAsync(_disk.AfterPowerLoss(), refusedAreGone: true);
    }

    private string[] WriteAheadFiles() =>
        _disk.FolderExists(Folder) ? [.. _disk.Files(Folder).Select(name => $"{Folder}/{name}")] : [];

    private long EndOfBytes(string file)
    {
        var bytes = new byte[_disk.LengthOf(file)];
        using var open = _disk.Open(file);
        open.Read(bytes, 0);
        return Array.FindLastIndex(bytes, one => one != 0) + 1;
    }

    /// <summary>An append to each partition; all but the first come while the disk is busy with that.</summary>
    private List<Task> Together(LocalLog log, TopicPartition[]? partitions = null)
    {
        _disk.IsFree.Reset();
        var appends = (partitions ?? Partitions)
            .Select(partition => _ledger.AppendAsync(log, partition, 1, 30)).ToList();
        _disk.IsFree.Set();
        return appends;
    }

    private async Task TogetherAsync(LocalLog log) => await Task.WhenAll(Together(log));

    private async Task<LocalLog> OpenAsync(Action<EventLogOptions>? change = null)
    {
        var log = Open(_disk, change);
        await log.EnsureTopicAsync(new TopicSpec("t", Partitions.Length));
        return log;
    }

    private LocalLog Open(ForgetfulDisk disk, Action<EventLogOptions>? change = null)
    {
        var options = new EventLogOptions
        {
            FreeBytesMin = default,
            WriteAheadBytes = new ByteSize(4_000),
            WriterThreads = 3,
        };
        change?.Invoke(options);
        return LocalLog.Open(disk, "/data/log", options, _time, NullLogger.Instance, answersBeside);
    }

    private async Task VerifyAsync(ForgetfulDisk disk, bool refusedAreGone = false)
    {
        await using var log = Open(disk);
        await _ledger.VerifyAsync(log, "opened again", refusedAreGone);
    }

    /// <summary>Counts the syncs that several partitions shared, from now on.</summary>
    private sealed class SharedSyncs
    {
        private readonly MeterListener _listener = new();
        private int _count;

        public SharedSyncs()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "millrace.eventlog.syncs.shared") listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Interlocked.Increment(ref _count));
            _listener.Start();
        }

        public int Count => Volatile.Read(ref _count);
    }
}
