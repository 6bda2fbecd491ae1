using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.Primitives;

namespace Millrace.EventLog.Retention;

/// <summary>
/// Deletes old segments. Telemetry never goes before the warm writer and the archiver have committed past it; queries
/// hold it for a while. Records of other topics never go before every group that has committed there is past them.
/// </summary>
internal sealed class LogRetention(
    LocalLog log, IOptions<RetentionOptions> options, TimeProvider time, ILogger<LogRetention> logger)
    : BackgroundService
{
    private static readonly string[] MustHaveTelemetry = [ConsumerGroups.WarmWriter, ConsumerGroups.Archiver];

    private readonly RetentionOptions _options = options.Value;

    /// <summary>One round over all partitions.</summary>
    public async Task TrimAllAsync(CancellationToken ct)
    {
        foreach (var topic in log.Topics)
        {
            var partitions = log.FindTopic(topic)!.Partitions;
            for (var number = 0; number < partitions; number++)
                await TrimAsync(new TopicPartition(topic, number), partitions, ct);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_options.Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await TrimAllAsync(stoppingToken);
            }
            catch (Exception e) when (e is MillraceException or IOException)
            {
                logger.RetentionFailed(e);
            }
        }
    }

    private async Task TrimAsync(TopicPartition partition, int partitions, CancellationToken ct)
    {
        var before = (await log.RangeAsync(partition, ct)).First;
        var groups = log.GroupsOf(partition);
        var view = partition.Topic == Topics.Telemetry
            ? await OfTelemetryAsync(partition, partitions, groups, ct)
            : await OfOtherAsync(partition, groups, ct);
        var trimBefore = RetentionRule.TrimBefore(view);
        if (trimBefore <= before) return;

        var first = await log.TrimAsync(partition, trimBefore, ct);
        if (first <= before) return;
        logger.Trimmed(partition.ToString(), first, first - before);
        foreach (var group in groups.Where(group => group.NextOffset < first))
        {
            var missed = first - Math.Max(before, group.NextOffset);
            log.Metrics.PassedBy.Add(missed, new("topic", partition.Topic), new("group", group.Group));
            logger.ConsumerPassedBy(partition.ToString(), group.Group, missed);
        }
    }

    private async Task<RetentionView> OfTelemetryAsync(
        TopicPartition partition, int partitions, IReadOnlyList<GroupPosition> groups, CancellationToken ct)
    {
        var segments = log.SizesOf(partition).Select(size => (size.FirstOffset, size.Bytes)).ToList();
        var must = MustHaveTelemetry.Select(
            name => groups.FirstOrDefault(group => group.Group == name, new GroupPosition(name, 0)).NextOffset);
        var others = groups.Where(group => !MustHaveTelemetry.Contains(group.Group)).Select(group => group.NextOffset);
        return new RetentionView(
            Math.Max(
                await OlderThanAsync(partition, _options.TelemetryAgeMax, ct),
                RetentionRule.OffsetOfBytes(segments, _options.TelemetryBytesMax.Bytes / partitions)),
            must.Min(),
            Math.Max(
                await OlderThanAsync(partition, _options.HoldAgeMax, ct),
                RetentionRule.OffsetOfBytes(segments, _options.HoldBytesMax.Bytes / partitions)),
            others.ToList());
    }

    private async Task<RetentionView> OfOtherAsync(
        TopicPartition partition, IReadOnlyList<GroupPosition> groups, CancellationToken ct)
    {
        var neverPast = groups.Count == 0 ? long.MaxValue : groups.Min(group => group.NextOffset);
        return new RetentionView(await OlderThanAsync(partition, _options.OtherAgeMax, ct), neverPast, 0, []);
    }

    private ValueTask<long> OlderThanAsync(TopicPartition partition, TimeSpan age, CancellationToken ct) =>
        log.OffsetAtAsync(partition, (time.GetUtcNow() - age).ToUnixTimeMilliseconds(), ct);
}
