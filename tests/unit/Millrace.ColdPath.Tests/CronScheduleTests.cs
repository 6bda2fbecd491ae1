using CsCheck;
using Millrace.ColdPath.Scheduling;

namespace Millrace.ColdPath.Tests;

public sealed class CronScheduleTests
{
    [TestCase("*/15 * * * *", "2026-11-22T10:07:30Z", "2026-11-22T10:15:00Z")]
    [TestCase("0 0 * * *", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")]
    [TestCase("30 6-8,20 * * 1-5", "2026-11-20T20:30:00Z", "2026-11-23T06:30:00Z")]
    [TestCase("0 12 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T12:00:00Z")]
    [TestCase("0 0 13 * 5", "2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z")]
    [TestCase("0 0 * * 7", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z")]
    [TestCase("5/20 3 1 12 *", "2026-11-22T00:00:00Z", "2026-12-01T03:05:00Z")]
    public void The_next_time_is_found(string cron, string after, string next) =>
        Assert.That(Parsed(cron).Next(DateTimeOffset.Parse(after)), Is.EqualTo(DateTimeOffset.Parse(next)));

    [Test]
    public void The_thirtieth_of_february_never_comes() =>
        Assert.That(Parsed("0 0 30 2 *").Next(DateTimeOffset.UnixEpoch), Is.Null);

    [TestCase("* * * *")]
    [TestCase("60 * * * *")]
    [TestCase("* 24 * * *")]
    [TestCase("* * 0 * *")]
    [TestCase("* * * 13 *")]
    [TestCase("* * * * 8")]
    [TestCase("5-3 * * * *")]
    [TestCase("*/0 * * * *")]
    [TestCase("a * * * *")]
    [TestCase("-1 * * * *")]
    public void What_is_no_schedule_is_told(string cron)
    {
        Assert.That(CronSchedule.TryParse(cron, out _, out var wrong), Is.False);
        Assert.That(wrong, Is.Not.Empty);
    }

    [Test]
    public void Minutes_and_hours_are_those_that_a_search_of_every_minute_finds() =>
        Gen.Select(Gen.Int[0, 59], Gen.Int[1, 59], Gen.Int[0, 23], Gen.Int[0, 6], Gen.Int[0, 500_000]).Sample(
            (minute, step, hour, weekday, start) =>
            {
                var after = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(start);
                var next = Parsed($"{minute}/{step} {hour} * * {weekday}").Next(after);
                var expected = after.AddMinutes(1);
                while (expected.Minute < minute || (expected.Minute - minute) % step != 0 || expected.Hour != hour
                    || (int)expected.DayOfWeek != weekday) expected = expected.AddMinutes(1);
                return next == expected;
            }, iter: 200);

    private static CronSchedule Parsed(string cron) => CronSchedule.TryParse(cron, out var schedule, out var wrong)
        ? schedule
        : throw new FormatException(wrong);
}
