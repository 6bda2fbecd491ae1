using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// How many records the consumers of this process have not committed yet, by group and topic, over the partitions that
/// are theirs now.
/// </summary>
internal sealed class LagMeter : BackgroundService
{
    private readonly KafkaLog _kafka;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger<LagMeter> _log;
    private readonly Meter _meter = new(EventLogMetrics.MeterName);
    private volatile IReadOnlyList<Measurement<long>> _lags = [];

    public LagMeter(KafkaLog kafka, IOptions<KafkaLogOptions> options, TimeProvider time, ILogger<LagMeter> log)
    {
        (_kafka, _interval, _time, _log) = (kafka, options.Value.Consumer.LagInterval, time, log);
        _meter.CreateObservableGauge("millrace.eventlog.lag", () => _lags, "{record}",
            "Records that a consumer of this process has not committed yet");
    }

    /// <summary>Measures once.</summary>
    public async Task MeasureAsync(CancellationToken ct)
    {
        var places = await _kafka.Groups.PlacesAsync(_kafka.Held, ct).ConfigureAwait(false);
        var ranges = new Dictionary<TopicPartition, OffsetRange>();
        foreach (var partition in places.Select(place => place.Partition).Distinct())
        {
            if (await TryRangeAsync(partition, ct).ConfigureAwait(false) is { } range) ranges[partition] = range;
        }

        _lags =
        [
            .. places.GroupBy(place => (place.Group, place.Partition.Topic))
                .Where(group => group.All(place => ranges.ContainsKey(place.Partition)))
                .Select(group => new Measurement<long>(group.Sum(place => Lag(place, ranges[place.Partition])),
                    new("group", group.Key.Group), EventLogMetrics.Topic(group.Key.Topic))),
        ];
    }

    /// <summary>Null when it cannot be told now: the lag of groups on other partitions can.</summary>
    private async ValueTask<OffsetRange?> TryRangeAsync(TopicPartition partition, CancellationToken ct)
    {
        try
        {
            return await _kafka.RangeAsync(partition, ct).ConfigureAwait(false);
        }
        catch (MillraceException e)
        {
            _log.LagUnknown(e.Message);
            return null;
        }
    }

    private static long Lag(ConsumerPlace place, OffsetRange range) =>
        Math.Max(0, range.Next - (place.NextOffset ?? range.First));

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await MeasureAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                _log.LagUnknown(e.Message);
            }
        }
    }
}
