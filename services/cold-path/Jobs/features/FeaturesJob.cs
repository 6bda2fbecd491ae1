using Millrace.Batch.Frames;
using Millrace.ColdPath.Catalog;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.ColdPath.Jobs.Features;

/// <summary>
/// What a model learns from: one row for each device and hour, with columns for the level, spread and trend of each
/// promoted number, and how these compare with the hours before. A row knows of nothing after its hour.
/// </summary>
internal sealed class FeaturesJob : IFrameJob
{
    private const double MicrosPerHour = 3_600_000_000;
    private const int HoursBefore = 24;

    private static readonly Window ByDevice = Window.Of("device_id").OrderBy("hour_start");

    public string Name => "Features";

    public DataFrame Build(FrameJobInput input)
    {
        var columns = input.SomeColumns("columns");
        var hours = UnixMicros("event_at").Cast(ColumnType.Double) / MicrosPerHour;
        var perHour = input.Telemetry("event_at", TimeSpan.FromHours(HoursBefore))
            .Select(["device_id", DateTrunc("hour", "event_at").As("hour_start"), (hours - Hours(input.From)).As("h"),
                "log_offset", .. columns.Select(name => Column.Of(name).Cast(ColumnType.Double).As(name))])
            .GroupBy("device_id", "hour_start")
            .Aggregate([Count().As("messages"), .. columns.SelectMany(Of)]);
        return perHour
            .Select([
                "device_id", "hour_start", "messages",
                .. columns.SelectMany(name => Names(name).Select(Column.Of)), .. columns.SelectMany(Compared),
            ])
            .Filter(Column.Of("hour_start") >= input.From)
            .OrderBy("device_id", "hour_start");
    }

    private static double Hours(DateTimeOffset at) =>
        (at - DateTimeOffset.UnixEpoch).TotalMicroseconds / MicrosPerHour;

    private static IEnumerable<string> Names(string column) =>
        new[] { "mean", "sd", "min", "max", "last", "slope" }.Select(what => $"{column}_{what}");

    private static IEnumerable<Column> Of(string column) =>
    [
        Average(column).As($"{column}_mean"), StandardDeviation(column).As($"{column}_sd"),
        Min(column).As($"{column}_min"), Max(column).As($"{column}_max"),
        MaxBy(column, "log_offset").As($"{column}_last"), Slope(column, "h").As($"{column}_slope"),
    ];

    private static IEnumerable<Column> Compared(string column)
    {
        Column mean = $"{column}_mean";
        yield return (mean - Lag(mean).Over(ByDevice)).As($"{column}_change");
        yield return Average(mean).Over(ByDevice.Rows(1 - HoursBefore, 0)).As($"{column}_mean_24");
    }
}
