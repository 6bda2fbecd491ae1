using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Retention;
using Millrace.Hosting.Node;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests.Retention;

public class LogRetentionTests
{
    private static readonly TopicPartition Telemetry = new(Topics.Telemetry, 0);
    private static readonly TopicPartition Alerts = new(Topics.Alerts, 0);

    private readonly FakeTimeProvider _time = new();
    private TemporaryFolder _folder = null!;
    private LocalLog _log = null!;
    private RetentionOptions _options = null!;

    [SetUp]
    public async Task Open()
    {
        _folder = new TemporaryFolder();
        _options = new RetentionOptions();
        // Each record gets a segment of its own.
        var options = new EventLogOptions { SegmentBytesMax = new ByteSize(60) };
        _log = LocalLog.Open(_folder.Path, options, _time);
        await _log.EnsureTopicAsync(new TopicSpec(Topics.Telemetry, 1));
        await _log.EnsureTopicAsync(new TopicSpec(Topics.Alerts, 1));
    }

    [TearDown]
    public async Task Close()
    {
        await _log.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Old_telemetry_goes_when_warm_writer_and_archiver_have_it()
    {
        await AppendDailyAsync(Telemetry, days: 20);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 20);
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 5);
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.EqualTo(5));
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 20);
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.EqualTo(13), "seven days are kept");
    }

    [Test]
    public async Task Telemetry_stays_when_the_archiver_has_never_committed()
    {
        await AppendDailyAsync(Telemetry, days: 40);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 40);
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.Zero);
    }

    [Test]
    public async Task A_query_holds_telemetry_up_to_an_age_and_then_is_passed_by()
    {
        await AppendDailyAsync(Telemetry, days: 20);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 20);
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 20);
        await _log.CommitAsync(ConsumerGroups.OfQuery("slow"), Telemetry, 2);
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.EqualTo(6), "fourteen days are held");
        await _log.ForgetGroupAsync(ConsumerGroups.OfQuery("slow"));
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.EqualTo(13));
    }

    [Test]
    public async Task Too_much_telemetry_goes_also_when_it_is_young()
    {
        await AppendDailyAsync(Telemetry, days: 6);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 6);
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 6);
        var bytes = _log.SizesOf(Telemetry).Sum(size => size.Bytes);
        _options.TelemetryBytesMax = new ByteSize(bytes / 2);
        var first = await FirstAfterTrimAsync(Telemetry);
        Assert.That(first, Is.EqualTo(3));
        Assert.That(_log.SizesOf(Telemetry).Sum(size => size.Bytes), Is.LessThanOrEqualTo(bytes / 2));
    }

    [Test]
    public async Task Other_topics_go_by_age_but_never_past_a_group_that_committed_there()
    {
        await AppendDailyAsync(Alerts, days: 30);
        await _log.CommitAsync("mail", Alerts, 4);
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(4));
        await _log.ForgetGroupAsync("mail");
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(23));
    }

    [Test]
    public async Task Outputs_stay_while_a_checkpoint_needs_them_and_for_a_while_for_a_query_that_reads_them()
    {
        await AppendDailyAsync(Alerts, days: 30);
        await _log.CommitAsync(ConsumerGroups.OfQuery("reader"), Alerts, 2);
        await _log.CommitAsync(ConsumerGroups.OfCheckpoint("writer"), Alerts, 4);
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(4));
        await _log.CommitAsync(ConsumerGroups.OfCheckpoint("writer"), Alerts, 30);
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(16), "fourteen days are held for the reader");
        await _log.ForgetGroupAsync(ConsumerGroups.OfQuery("reader"));
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(23));
    }

    [Test]
    public async Task An_output_never_goes_before_its_archiver_has_it()
    {
        await AppendDailyAsync(Alerts, days: 30);
        await _log.CommitAsync(ConsumerGroups.OfCheckpoint("writer"), Alerts, 30);
        await _log.CommitAsync(ConsumerGroups.OfArchive("hot"), Alerts, 3);
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(3));
        await _log.ForgetGroupAsync(ConsumerGroups.OfArchive("hot"));
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(23));
    }

    [Test]
    public async Task Too_much_of_another_topic_goes_also_when_it_is_young()
    {
        await AppendDailyAsync(Alerts, days: 6);
        _options.OtherBytesMax = new ByteSize(_log.SizesOf(Alerts).Sum(size => size.Bytes) / 2);
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(3));
    }

    [Test]
    public async Task A_consumer_that_was_passed_by_meets_an_error_with_a_count_and_is_counted()
    {
        var passed = 0L;
        using var meters = Listen("millrace.eventlog.retention.passed", value => Interlocked.Add(ref passed, value));
        await AppendDailyAsync(Telemetry, days: 20);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 20);
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 20);
        await _log.CommitAsync(ConsumerGroups.OfQuery("slow"), Telemetry, 2);
        Assert.That(await FirstAfterTrimAsync(Telemetry), Is.EqualTo(6));
        Assert.That(passed, Is.EqualTo(4));
        await using var reader = _log.OpenReader(Telemetry, 2);
        Assert.That(async () => await reader.ReadAsync(), Throws.TypeOf<MillraceException>()
            .With.Message.StartsWith("LOG-0004").And.Message.Contains("4 records"));
    }

    [Test]
    public async Task A_partition_that_cannot_be_looked_at_keeps_no_other_from_being_trimmed()
    {
        await AppendDailyAsync(Alerts, days: 30);
        await AppendDailyAsync(Telemetry, days: 30);
        await _log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 30);
        await _log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 30);
        var failed = 0L;
        using var meters = Listen("millrace.eventlog.retention.failures", value => Interlocked.Add(ref failed, value));

        await TrimAsync(new Silent(_log, Alerts));

        Assert.That((await _log.RangeAsync(Telemetry)).First, Is.EqualTo(23));
        Assert.That((await _log.RangeAsync(Alerts)).First, Is.Zero);
        Assert.That(failed, Is.EqualTo(1));
    }

    [Test]
    public async Task When_all_is_old_all_goes_and_offsets_count_on()
    {
        await AppendDailyAsync(Alerts, days: 3);
        _time.Advance(TimeSpan.FromDays(30));
        Assert.That(await FirstAfterTrimAsync(Alerts), Is.EqualTo(3));
        await AppendDailyAsync(Alerts, days: 1);
        Assert.That(await _log.RangeAsync(Alerts), Is.EqualTo(new OffsetRange(3, 4)));
    }

    private async Task<long> FirstAfterTrimAsync(TopicPartition partition)
    {
        await TrimAsync(_log);
        return (await _log.RangeAsync(partition)).First;
    }

    private static MeterListener Listen(string counter, Action<long> add)
    {
        var meters = new MeterListener
        {
            InstrumentPublished = (found, listener) =>
            {
                if (found.Name == counter) listener.EnableMeasurementEvents(found);
            },
        };
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => add(value));
        meters.Start();
        return meters;
    }

    private async Task TrimAsync(IRetainedLog log)
    {
        using var retention = new LogRetention(
            log, new Housekeeping(), Options.Create(_options), _time, NullLogger<LogRetention>.Instance);
        await retention.TrimAllAsync(CancellationToken.None);
    }

    /// <summary>One record a day; the last one is an hour old at the end.</summary>
    private async Task AppendDailyAsync(TopicPartition partition, int days)
    {
        using var builder = new RecordBatchBuilder();
        for (var day = 0; day < days; day++)
        {
            _time.Advance(TimeSpan.FromHours(23));
            builder.Clear();
            builder.Begin(_time.GetUtcNow().ToUnixTimeMilliseconds(), "device"u8);
            builder.End("body"u8);
            await _log.AppendAsync(partition, builder);
            _time.Advance(TimeSpan.FromHours(1));
        }
    }

    /// <summary>A log that does not answer for one of its partitions.</summary>
    private sealed class Silent(LocalLog log, TopicPartition silent) : ForwardingLog(log), IRetainedLog
    {
        private IRetainedLog Retained => log;

        EventLogMetrics IRetainedLog.Metrics => Retained.Metrics;

        IReadOnlyList<string> IRetainedLog.OwnTopics => Retained.OwnTopics;

        public override ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
            partition == silent
                ? throw EventLogErrors.NotFound.With(partition).AsException()
                : base.RangeAsync(partition, ct);

        ValueTask<IReadOnlyList<GroupPosition>> IRetainedLog.GroupsOfAsync(
            TopicPartition partition, CancellationToken ct) => Retained.GroupsOfAsync(partition, ct);

        ValueTask<IReadOnlyList<SegmentSize>> IRetainedLog.SizesOfAsync(
            TopicPartition partition, CancellationToken ct) => Retained.SizesOfAsync(partition, ct);
    }
}
