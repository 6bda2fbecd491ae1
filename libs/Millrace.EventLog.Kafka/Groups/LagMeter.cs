using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// How many records the consumers of this process have not committed yet, by group and topic, over the partitions that
/// they have committed here.
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
        var own = _kafka.Groups.Own;
        if (own.Count == 0) return;
        var ends = new Dictionary<TopicPartition, long>();
        foreach (var partition in own.Select(each => each.Partition).Distinct())
            ends[partition] = (await _kafka.RangeAsync(partition, ct).ConfigureAwait(false)).Next;
        _lags =
        [
            .. own.GroupBy(each => (each.Group, each.Partition.Topic)).Select(group => new Measurement<long>(
                group.Sum(each => Math.Max(0, ends.GetValueOrDefault(each.Partition) - each.NextOffset)),
                new("group", group.Key.Group), EventLogMetrics.Topic(group.Key.Topic))),
        ];
    }

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
            catch (MillraceException e)
            {
                _log.LagUnknown(e.Message);
            }
        }
    }
}
