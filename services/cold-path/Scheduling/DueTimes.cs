using Millrace.ColdPath.Runs;

namespace Millrace.ColdPath.Scheduling;

/// <summary>The times that a job was due and not served.</summary>
/// <param name="Served">Up to here it was.</param>
internal sealed record DueTimes(
    CronSchedule Cron, TimeSpan LookBack, DateTimeOffset Served, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>
    /// Up to where the schedule is served while this part is missing: who goes on from there makes it.
    /// </summary>
    public DateTimeOffset ServedBefore(TimePart missing)
    {
        var served = Served;
        while (Cron.Next(served) is { } due && due < Last && IsMadeAfter(due, missing)) served = due;
        return served;
    }

    /// <summary>Whether the times after the given one, up to the last, have the part made.</summary>
    public bool IsMadeAfter(DateTimeOffset served, TimePart part) =>
        Cron.Next(served) is { } next && next <= Last && part.To > next - LookBack;
}
