using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Hosting.Node;

namespace Millrace.EventLog.Retention;

/// <summary>
/// Deletes old segments. Telemetry never goes before the warm writer and the archiver have committed past it. Records
/// of other topics never go before every sink that has committed there is past them, nor while a checkpoint needs
/// them. Queries hold what they read for a while.
/// </summary>
internal sealed class LogRetention(
    IRetainedLog log, Housekeeping housekeeping, IOptions<RetentionOptions> options, TimeProvider time,
    ILogger<LogRetention> logger) : BackgroundService
{
    private static readonly string[] MustHaveTelemetry = [ConsumerGroups.WarmWriter, ConsumerGroups.Archiver];

    private readonly RetentionOptions _options = options.Value;

    /// <summary>One round over all partitions. One that cannot be trimmed now keeps no other from it.</summary>
    public async Task TrimAllAsync(CancellationToken ct)
    {
        foreach (var topic in log.OwnTopics) await TrimAsync(topic, ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_options.Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (housekeeping.IsHere) await TrimAllAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.RetentionFailed(e);
            }
        }
    }

    private async Task TrimAsync(string topic, CancellationToken ct)
    {
        if (log.FindTopic(topic) is not { Partitions: var partitions }) return;
        var (failed, first) = (0, (Exception?)null);
        for (var number = 0; number < partitions; number++)
        {
            try
            {
                await TrimAsync(new TopicPartition(topic, number), partitions, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                failed++;
                first ??= e;
            }
        }

        if (failed == 0) return;
        log.Metrics.RetentionFailures.Add(failed, EventLogMetrics.Topic(topic));
        logger.PartitionsNotTrimmed(topic, failed, partitions, first);
    }

    private async Task TrimAsync(TopicPartition partition, int partitions, CancellationToken ct)
    {
        var before = (await log.RangeAsync(partition, ct)).First;
        var groups = await log.GroupsOfAsync(partition, ct);
        var view = await ViewAsync(partition, partitions, groups, ct);
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

    private async Task<RetentionView> ViewAsync(
        TopicPartition partition, int partitions, IReadOnlyList<GroupPosition> groups, CancellationToken ct)
    {
        var telemetry = partition.Topic == Topics.Telemetry;
        var (ageMax, bytesMax) = telemetry
            ? (_options.TelemetryAgeMax, _options.TelemetryBytesMax)
            : (_options.OtherAgeMax, _options.OtherBytesMax);
        var mayBePassedBy = groups
            .Where(group => telemetry ? !MustHaveTelemetry.Contains(group.Group) : ConsumerGroups.IsQuery(group.Group))
            .ToList();
        return new RetentionView(
            await UnwantedAsync(partition, ageMax, bytesMax.Bytes / partitions, ct),
            telemetry
                ? MustHaveTelemetry.Min(name => groups.FirstOrDefault(group => group.Group == name).NextOffset)
                : groups.Except(mayBePassedBy).Select(group => group.NextOffset).DefaultIfEmpty(long.MaxValue).Min(),
            await UnwantedAsync(partition, _options.HoldAgeMax, _options.HoldBytesMax.Bytes / partitions, ct),
            mayBePassedBy.ConvertAll(group => group.NextOffset));
    }

    /// <summary>Records below this offset are older, or more, than that.</summary>
    private async ValueTask<long> UnwantedAsync(
        TopicPartition partition, TimeSpan ageMax, long bytesMax, CancellationToken ct)
    {
        var segments = (await log.SizesOfAsync(partition, ct)).Select(size => (size.FirstOffset, size.Bytes)).ToList();
        return Math.Max(
            await OlderThanAsync(partition, ageMax, ct), RetentionRule.OffsetOfBytes(segments, bytesMax));
    }

    private ValueTask<long> OlderThanAsync(TopicPartition partition, TimeSpan age, CancellationToken ct) =>
        log.OffsetAtAsync(partition, (time.GetUtcNow() - age).ToUnixTimeMilliseconds(), ct);
}
