using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Jobs.DataQuality;

/// <summary>What is wrong with what each device sent: one row a device.</summary>
internal sealed class DataQualityJob : IFrameJob
{
    private const double MicrosPerSecond = 1_000_000;

    /// <summary>A gap that began before the time that is looked at is found when it is no longer than that.</summary>
    private static readonly TimeSpan Before = TimeSpan.FromDays(1);

    private static readonly Window InOrder =
        Window.Of("device_id").OrderBy("event_at", "log_partition", "log_offset");

    public DataFrame Build(FrameJobInput input)
    {
        var gap = Seconds(Lag("event_at").Over(InOrder), "event_at");
        var late = Seconds("event_at", "enqueued_at");
        var isIn = Column.Of("enqueued_at") >= input.From;
        return input.Telemetry("enqueued_at", Before)
            .Select("device_id", "enqueued_at", "event_at", "log_partition", "log_offset", "message_id",
                When(isIn, "body", Column.Value(null)).As("body"), gap.As("gap"), late.As("late"),
                IsOut(ValueRange.Of(input)).As("is_out"),
                Column.Of("body_text").IsNull().As("no_text"))
            .Filter(isIn)
            .Select("device_id", "gap", "late", IsAgain().As("again"), "is_out", "no_text")
            .GroupBy("device_id")
            .Aggregate(Count().As("messages"), CountIf(Column.Of("gap") > input.Get<double>("gap_seconds")).As("gaps"),
                Max("gap").As("longest_gap_seconds"), CountIf("again").As("duplicates"),
                CountIf(Column.Of("late") > input.Get<double>("late_seconds")).As("late_arrivals"),
                Max("late").As("latest_seconds"), CountIf("is_out").As("out_of_range"),
                CountIf("no_text").As("without_text"))
            .OrderBy("device_id");
    }

    private static Column Seconds(Column from, Column to) =>
        (UnixMicros(to) - UnixMicros(from)).Cast(ColumnType.Double) / MicrosPerSecond;

    private static Column CountIf(Column condition) => SumOfLongs(When(condition, 1L, 0L));

    /// <summary>Sent before under the same message id; without one, the same body of the same time.</summary>
    private static Column IsAgain()
    {
        var byId = RowNumber().Over(Window.Of("device_id", "message_id").OrderBy("log_partition", "log_offset"));
        var byBody = RowNumber().Over(
            Window.Of("device_id", "event_at", "body").OrderBy("log_partition", "log_offset"));
        return When(Column.Of("message_id").IsNull(), byBody > 1, byId > 1);
    }

    /// <summary>What is no number is greater than all that are.</summary>
    private static Column IsOut(IEnumerable<ValueRange> ranges) => ranges
        .Select(range => (Value: Column.Of(range.Column).Cast(ColumnType.Double), range.Low, range.High))
        .Select(range => Coalesce((range.Value < range.Low) | (range.Value > range.High), false))
        .Aggregate(Column.Value(false), (either, other) => either | other);
}
