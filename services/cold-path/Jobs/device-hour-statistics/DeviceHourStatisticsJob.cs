using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Jobs.DeviceHourStatistics;

/// <summary>One row for each device, hour and column that has values there.</summary>
internal sealed class DeviceHourStatisticsJob : IFrameJob
{
    public DataFrame Build(FrameJobInput input) =>
        FrameJobInput.Measures(input.Telemetry("event_at"),
                ["device_id", DateTrunc("hour", "event_at").As("hour_start")], input.SomeColumns("columns"))
            .GroupBy("device_id", "hour_start", "measure")
            .Aggregate(Count().As("count"), Min("value").As("min"), Max("value").As("max"),
                Average("value").As("mean"), Percentile("value", 0.5).As("p50"), Percentile("value", 0.95).As("p95"),
                Percentile("value", 0.99).As("p99"))
            .OrderBy("device_id", "hour_start", "measure");
}
