using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Tests;

/// <summary>A job of one's own, as the docs show it.</summary>
public sealed class BusiestDevices : IFrameJob
{
    public DataFrame Build(FrameJobInput input) => input.Telemetry("enqueued_at")
        .GroupBy("device_id")
        .Aggregate(Count().As("messages"))
        .OrderBy(Column.Of("messages").Descending(), "device_id")
        .Limit(checked((int)input.Get<long>("top")));
}

/// <summary>One that cannot be made by itself.</summary>
public sealed class NeedsMore(int rows) : IFrameJob
{
    public DataFrame Build(FrameJobInput input) => input.Telemetry("enqueued_at").Limit(rows);
}

/// <summary>One whose constructor fails.</summary>
public sealed class Broken : IFrameJob
{
    public Broken() => throw new InvalidOperationException("out of order");

    public DataFrame Build(FrameJobInput input) => DataFrame.Read("telemetry");
}
