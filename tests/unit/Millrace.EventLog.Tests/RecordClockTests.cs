using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Millrace.EventLog.Local;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests;

/// <summary>Which times of records are believed.</summary>
public sealed class RecordClockTests
{
    [Test]
    public async Task A_clock_that_is_behind_is_not_asked_where_the_log_has_looked()
    {
        using var folder = new TemporaryFolder();
        await using var inner = LocalLog.Open(folder.Path);
        await using var log = new RefusingLog(inner);
        var time = new FakeTimeProvider();
        var clock = new RecordClock(Options.Create(new EventLogOptions()), time, log);

        Assert.That(clock.LatestMs("telemetry"), Is.EqualTo(long.MaxValue));
        Assert.That(clock.LatestMs("other"), Is.EqualTo(time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds()));
    }

    private sealed class RefusingLog(IEventLog inner) : ForwardingLog(inner)
    {
        public override bool RefusesAhead(string topic) => topic == "telemetry";
    }
}
