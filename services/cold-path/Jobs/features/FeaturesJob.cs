using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Jobs.Features;

/// <summary>
/// What a model learns from: one row for each device and step, an hour if not told otherwise, with columns for the
/// level, spread and trend of each promoted number, and how these compare with the steps before. A row knows of nothing
/// after its step.
/// </summary>
internal sealed class FeaturesJob : IFrameJob
{
    private const double MicrosPerHour = 3_600_000_000;
    private const double MicrosPerSecond = 1_000_000;
    private const int StepsBefore = 24;

    private static readonly Window ByDevice = Window.Of("device_id").OrderBy("step_start");

    public DataFrame Build(FrameJobInput input)
    {
        var columns = input.SomeColumns("columns");
        var hours = UnixMicros("event_at").Cast(ColumnType.Double) / MicrosPerHour;
        var seconds = input.Get<long>("step_seconds");
        Column step = seconds * MicrosPerSecond;
        var start = TimestampMicros((Floor(UnixMicros("event_at") / step) * step).Cast(ColumnType.Long));
        var perStep = input.Telemetry("event_at", TimeSpan.FromSeconds(seconds) * StepsBefore)
            .Select(["device_id", start.As("step_start"), (hours - Hours(input.From)).As("h"),
                FrameJobInput.NumberWithin(start).As("message_number"),
                .. columns.Select(name => Column.Of(name).Cast(ColumnType.Double).As(name))])
            .GroupBy("device_id", "step_start")
            .Aggregate([Count().As("messages"), .. columns.SelectMany(Of)]);
        return perStep
            .Select([
                "device_id", "step_start", "messages",
                .. columns.SelectMany(name => Names(name).Select(Column.Of)), .. columns.SelectMany(Compared),
            ])
            .Filter(Column.Of("step_start") >= input.From)
            .OrderBy("device_id", "step_start");
    }

    private static double Hours(DateTimeOffset at) =>
        (at - DateTimeOffset.UnixEpoch).TotalMicroseconds / MicrosPerHour;

    private static IEnumerable<string> Names(string column) =>
        new[] { "mean", "sd", "min", "max", "last", "slope" }.Select(what => $"{column}_{what}");

    private static IEnumerable<Column> Of(string column) =>
    [
        Average(column).As($"{column}_mean"), StandardDeviation(column).As($"{column}_sd"),
        Min(column).As($"{column}_min"), Max(column).As($"{column}_max"),
        LastOf(column).As($"{column}_last"), Slope(column, "h").As($"{column}_slope"),
    ];

    /// <summary>A message that lacks the field has no number here: engines differ in whether it is the last.</summary>
    private static Column LastOf(string column) =>
        MaxBy(column, When(Column.Of(column).IsNotNull(), "message_number", Column.Value(null)));

    private static IEnumerable<Column> Compared(string column)
    {
        Column mean = $"{column}_mean";
        yield return (mean - Lag(mean).Over(ByDevice)).As($"{column}_change");
        yield return Average(mean).Over(ByDevice.Rows(1 - StepsBefore, 0)).As($"{column}_mean_24");
    }
}
