using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Jobs.Downsampling;

/// <summary>
/// Columns over long times, as few points as a chart shows: of each step the least, the greatest, the mean, the first
/// and the last value by the event time, so that no peak is lost.
/// </summary>
internal sealed class DownsamplingJob : IFrameJob
{
    private const double MicrosPerSecond = 1_000_000;

    public DataFrame Build(FrameJobInput input)
    {
        Column step = input.Get<long>("step_seconds") * MicrosPerSecond;
        var bucket = TimestampMicros((Floor(UnixMicros("event_at") / step) * step).Cast(ColumnType.Long));
        return FrameJobInput.Measures(input.Telemetry("event_at"),
                ["device_id", bucket.As("bucket_start"), FrameJobInput.NumberWithin(bucket).As("message_number")],
                input.SomeColumns("columns"))
            .GroupBy("device_id", "measure", "bucket_start")
            .Aggregate(Count().As("count"), Min("value").As("min"), Max("value").As("max"),
                Average("value").As("mean"), MinBy("value", "message_number").As("first"),
                MaxBy("value", "message_number").As("last"))
            .OrderBy("device_id", "measure", "bucket_start");
    }
}
