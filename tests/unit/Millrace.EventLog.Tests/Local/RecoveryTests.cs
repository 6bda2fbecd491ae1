using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Tests.Local;

/// <summary>What a log finds at open when bytes of its files are missing or wrong.</summary>
public class RecoveryTests
{
    private const string Folder = "/data/log/topics/telemetry/0";
    private static readonly TopicPartition Partition = new("telemetry", 0);

    private ForgetfulDisk _disk = null!;

    [SetUp]
    public void NewDisk() => _disk = new ForgetfulDisk(new Random(1));

    [Test]
    public async Task A_tail_cut_at_any_byte_loses_only_the_batches_that_are_not_whole()
    {
        var ends = await WriteBatchesAsync(6);
        var file = LastSegment();
        for (var length = _disk.LengthOf(file); length >= SegmentHeader.Size; length--)
        {
            using (var open = _disk.Open(file)) open.Truncate(length);
            Assert.That(await RecordsAsync(), Is.EqualTo(ends.Count(end => end <= length)), $"cut to {length}");
        }
    }

    [Test]
    public async Task A_damaged_last_batch_is_taken_for_a_torn_write_and_appends_go_on_in_its_place()
    {
        await WriteBatchesAsync(3);
        _disk.Corrupt(LastSegment(), bytes => bytes[^5] ^= 1);
        await using var log = Open();
        Assert.That((await log.RangeAsync(Partition)).Next, Is.EqualTo(2));
        Assert.That(await AppendAsync(log, "again"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_batch_damaged_at_any_byte_with_others_behind_it_is_refused_with_file_and_position()
    {
        var ends = await WriteBatchesAsync(4);
        var file = LastSegment();
        for (var at = ends[1]; at < ends[2]; at++)
        {
            _disk.Corrupt(file, bytes => bytes[at] ^= 0x40);
            Assert.That(() => Open(), Throws.TypeOf<MillraceException>()
                .With.Message.Contains("LOG-0002").And.Message.Contains($"{file} at byte {ends[1]}"), $"byte {at}");
            _disk.Corrupt(file, bytes => bytes[at] ^= 0x40);
        }

        Assert.That(await RecordsAsync(), Is.EqualTo(4));
    }

    [Test]
    public async Task A_record_that_looks_like_a_batch_does_not_turn_a_torn_tail_into_damage()
    {
        var ends = await WriteBatchesAsync(4);
        var lookalike = new byte[ends[3] - ends[1]];
        using (var open = _disk.Open(LastSegment())) open.Read(lookalike, ends[1]);

        // The same bytes as a body, in a partition whose salt is another, within a tail that is torn.
        var other = new TopicPartition("other", 0);
        var otherFile = "/data/log/topics/other/0/" + Segment.FileName(0);
        await using (var log = Open())
        {
            await log.EnsureTopicAsync(new TopicSpec("other", 1));
            using var builder = new RecordBatchBuilder();
            builder.Begin(1, "device"u8);
            builder.End(lookalike);
            await log.AppendAsync(other, builder);
        }

        _disk.Corrupt(otherFile, bytes => bytes[SegmentHeader.Size + 4] ^= 1);
        await using var reopened = Open();
        Assert.That((await reopened.RangeAsync(other)).Next, Is.Zero);
    }

    [Test]
    public async Task A_reader_stops_at_damage_in_a_closed_segment_and_says_where()
    {
        await WriteBatchesAsync(40, segmentBytes: 600);
        var second = Segments()[1];
        var at = _disk.LengthOf(second) - 3;
        _disk.Corrupt(second, bytes => bytes[at] ^= 1);
        await using var log = Open(600);
        await using var reader = log.OpenReader(Partition, 0);
        Assert.That(async () =>
        {
            while (await reader.TryReadAsync() is not null)
            {
            }
        }, Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0002").And.Message.Contains(second));
        var stopped = reader.Position;
        Assert.That(async () => await reader.TryReadAsync(), Throws.TypeOf<MillraceException>());
        Assert.That(reader.Position, Is.EqualTo(stopped), "it never goes past");
    }

    [Test]
    public async Task A_missing_or_damaged_index_is_made_again()
    {
        await WriteBatchesAsync(60, segmentBytes: 600);
        var indexes = _disk.Files(Folder).Where(name => name.EndsWith(".index", StringComparison.Ordinal)).ToList();
        Assert.That(indexes, Has.Count.GreaterThan(3));
        _disk.Delete($"{Folder}/{indexes[0]}");
        _disk.Corrupt($"{Folder}/{indexes[1]}", bytes => bytes[^1] ^= 1);
        _disk.Corrupt($"{Folder}/{indexes[2]}", bytes => bytes[3] ^= 1);
        Assert.That(await RecordsAsync(600), Is.EqualTo(60));
        Assert.That(_disk.Files(Folder), Is.SupersetOf(indexes));
        await using var log = Open(600);
        for (var time = 1; time <= 60; time++)
            Assert.That(await log.OffsetAtAsync(Partition, time), Is.EqualTo(time - 1));
    }

    [Test]
    public async Task Room_made_ahead_is_no_torn_tail_and_is_gone_where_a_segment_is_closed()
    {
        await WriteBatchesAsync(80, segmentBytes: 2000);
        var lengths = Segments().ConvertAll(_disk.LengthOf);
        _disk = new ForgetfulDisk(new Random(1));
        await WriteBatchesAsync(80, segmentBytes: 2000, fillAhead: 1 << 16);
        var filled = Segments().ConvertAll(_disk.LengthOf);
        Assert.That(filled[^1], Is.GreaterThan(lengths[^1]));
        Assert.That(filled[..^1], Is.EqualTo(lengths[..^1]));
        Assert.That(await TornAsync(() => RecordsAsync(2000), 80), Is.Zero);
        Assert.That(_disk.LengthOf(LastSegment()), Is.EqualTo(lengths[^1]));
    }

    [Test]
    public async Task A_torn_batch_in_room_made_ahead_is_cut_and_counted_to_its_last_byte()
    {
        var ends = await WriteBatchesAsync(4);
        _disk = new ForgetfulDisk(new Random(1));
        await WriteBatchesAsync(4, fillAhead: 1 << 16);
        _disk.Corrupt(LastSegment(), bytes => bytes[ends[3] - 5] ^= 1);
        Assert.That(await TornAsync(() => RecordsAsync(), 3), Is.EqualTo(ends[3] - ends[2]));
    }

    [Test]
    public async Task A_missing_segment_is_damage()
    {
        await WriteBatchesAsync(40, segmentBytes: 600);
        _disk.Delete(Segments()[1]);
        Assert.That(() => Open(600), Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0002")
            .And.Message.Contains(Segments()[0]));
    }

    [Test]
    public async Task A_damaged_segment_header_is_damage_also_in_the_last_segment()
    {
        await WriteBatchesAsync(2);
        _disk.Corrupt(LastSegment(), bytes => bytes[20] ^= 1);
        Assert.That(() => Open(), Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0002")
            .And.Message.Contains("at byte 0"));
    }

    [Test]
    public async Task A_lost_topic_file_is_damage_and_not_an_empty_topic()
    {
        await WriteBatchesAsync(2);
        _disk.Delete("/data/log/topics/telemetry/topic.json");
        await using var log = Open();
        Assert.That(async () => await log.EnsureTopicAsync(new TopicSpec("telemetry", 1)),
            Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0002"));
    }

    /// <summary>The disk may keep a batch that was taken back, when the sync of that failed as well.</summary>
    [Test]
    public async Task A_batch_that_was_taken_back_when_the_log_opened_does_not_come_back_when_the_power_goes(
        [Range(1, 20)] int seed)
    {
        _disk = new ForgetfulDisk(new Random(seed));
        await using (var log = Open())
        {
            await log.EnsureTopicAsync(new TopicSpec("telemetry", 1));
            await AppendAsync(log, "value 0");
            var (written, taken) = (_disk.Calls + 1, _disk.Calls + 3);
            _disk.FaultAt = call => call == written || call == taken ? Fault.None : Fault.Error;
            Assert.That(async () => await AppendAsync(log, "value 1"), Throws.TypeOf<MillraceException>());
        }

        _disk.FaultAt = _ => Fault.None;
        var seen = await RecordsAsync();
        _disk = _disk.AfterPowerLoss();
        Assert.That(await RecordsAsync(), Is.EqualTo(seen));
    }

    /// <summary>The bytes that were cut as torn meanwhile.</summary>
    private static async Task<long> TornAsync(Func<Task<int>> open, int records)
    {
        long torn = 0;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "millrace.eventlog.torn.bytes") listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref torn, value));
        meters.Start();
        Assert.That(await open(), Is.EqualTo(records));
        return torn;
    }

    private string LastSegment() => Segments()[^1];

    private List<string> Segments() => _disk.Files(Folder)
        .Where(name => name.EndsWith(Segment.Suffix, StringComparison.Ordinal))
        .Order(StringComparer.Ordinal).Select(name => $"{Folder}/{name}").ToList();

    private LocalLog Open(int segmentBytes = 1 << 20, int fillAhead = 0) => LocalLog.Open(_disk, "/data/log",
        new EventLogOptions
        {
            SegmentBytesMax = new ByteSize(segmentBytes),
            FillAheadBytesMax = new ByteSize(fillAhead),
            IndexIntervalBytes = new ByteSize(150),
            FreeBytesMin = default,
        }, TimeProvider.System, NullLogger.Instance);

    /// <summary>
    /// Writes batches of one record each, with timestamps from 1; returns where each ends in its file.
    /// </summary>
    private async Task<List<long>> WriteBatchesAsync(int count, int segmentBytes = 1 << 20, int fillAhead = 0)
    {
        await using var log = Open(segmentBytes, fillAhead);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 1));
        var ends = new List<long>();
        for (var i = 0; i < count; i++)
        {
            await AppendAsync(log, $"value {i}", i + 1);
            ends.Add(_disk.LengthOf(LastSegment()));
        }

        return ends;
    }

    private static async Task<long> AppendAsync(LocalLog log, string value, long timestampMs = 1)
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(timestampMs, "device"u8);
        builder.End(Encoding.UTF8.GetBytes(value));
        return (await log.AppendAsync(Partition, builder)).First;
    }

    /// <summary>Opens the log and reads all.</summary>
    private async Task<int> RecordsAsync(int segmentBytes = 1 << 20)
    {
        await using var log = Open(segmentBytes);
        await using var reader = log.OpenReader(Partition, 0);
        var count = 0;
        while (await reader.TryReadAsync() is { } batch)
        {
            foreach (var record in batch)
                Assert.That(Encoding.UTF8.GetString(record.Value), Is.EqualTo($"value {count++}"));
        }

        return count;
    }
}
