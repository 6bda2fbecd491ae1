using CsCheck;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;

namespace Millrace.Delta.Tests;

public sealed class FilePruningTests
{
    private static readonly AddFile File = new(
        "date=2026-11-22/hour=7/f.parquet",
        new Dictionary<string, string> { ["date"] = "2026-11-22", ["hour"] = "7" }, 1, 0, true,
        new FileStats(10,
        [
            new("device_id", "device-10", "device-20", 0),
            new("enqueued_at", "2026-11-22T07:10:00.000Z", "2026-11-22T07:20:00.500Z", 0),
            new("log_offset", 100L, 199L, 0),
            new("temperature", 18.5, 21.25, 3),
            new("body", null, null, 0),
        ]));

    [TestCase("device-15", true)]
    [TestCase("device-10", true)]
    [TestCase("device-20", true)]
    [TestCase("device-09", false)]
    [TestCase("device-21", false)]
    [TestCase("dävice", true, Description = "order beyond ASCII is not certain")]
    public void A_device_outside_the_file_passes_it_over(string device, bool mayHold) =>
        Assert.That(MayHold(ColumnRange.Of("device_id", device)), Is.EqualTo(mayHold));

    [TestCase("2026-11-22T07:20:00.500Z", null, true)]
    [TestCase("2026-11-22T07:20:00.5009Z", null, true, Description = "statistics are cut to the millisecond")]
    [TestCase("2026-11-22T07:20:00.502Z", null, false)]
    [TestCase(null, "2026-11-22T07:10:00Z", true)]
    [TestCase(null, "2026-11-22T07:09:59.999Z", false)]
    public void A_time_outside_the_file_passes_it_over(string? from, string? to, bool mayHold) =>
        Assert.That(MayHold(new ColumnRange("enqueued_at", Time(from), Time(to))), Is.EqualTo(mayHold));

    [Test]
    public void The_last_moment_that_there_is_has_none_after_it()
    {
        const string last = "9999-12-31T23:59:59.999Z";
        var file = File with { Stats = new FileStats(1, [new("event_at", last, last, 0)]) };

        Assert.That(FilePruning.MayHold(file, [new ColumnRange("event_at", DateTimeOffset.MaxValue, null)]), Is.True);
    }

    [Test]
    public void Partitions_prune_like_columns()
    {
        Assert.That(MayHold(ColumnRange.Of("date", new DateOnly(2026, 11, 22))), Is.True);
        Assert.That(MayHold(ColumnRange.Of("date", new DateOnly(2026, 11, 21))), Is.False);
        Assert.That(MayHold(new ColumnRange("hour", 8L, null)), Is.False);
        Assert.That(MayHold(new ColumnRange("hour", null, 7L)), Is.True);
    }

    [Test]
    public void Numbers_prune_and_what_is_not_known_does_not()
    {
        Assert.That(MayHold(new ColumnRange("temperature", 22.0, null)), Is.False);
        Assert.That(MayHold(new ColumnRange("log_offset", null, 99L)), Is.False);
        Assert.That(MayHold(ColumnRange.Of("body", "x")), Is.True);
        Assert.That(MayHold(ColumnRange.Of("no_such", 1L)), Is.True);
        Assert.That(MayHold(ColumnRange.Of("temperature", "warm")), Is.True);
        Assert.That(MayHold(new ColumnRange("temperature", null, double.NaN)), Is.True, "all are less");
    }

    [Test]
    public void A_file_that_holds_a_value_in_range_is_never_passed_over() =>
        Gen.Select(Gen.Long.Array[1, 8], Gen.Long, Gen.Long).Sample((values, a, b) =>
        {
            var range = new ColumnRange("n", Math.Min(a, b), Math.Max(a, b));
            var file = File with { Stats = new FileStats(values.Length, [new("n", values.Min(), values.Max(), 0)]) };
            return FilePruning.MayHold(file, [range]) || !values.Any(v => v >= Math.Min(a, b) && v <= Math.Max(a, b));
        });

    private static DateTimeOffset? Time(string? text) =>
        text is null ? null : DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static bool MayHold(ColumnRange range) => FilePruning.MayHold(File, [range]);
}
