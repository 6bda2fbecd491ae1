namespace Millrace.Saql.Tests;

public class FirstTests
{
    [Test]
    public void Rows_pass_a_filter_and_come_out_in_select_order()
    {
        var run = QueryRun.Over(
            "SELECT temperature, IoTHub.ConnectionDeviceId AS deviceId, System.Timestamp() AS t INTO alerts FROM telemetry WHERE temperature > 75",
            [
                """{"temperature":80.5,"EventEnqueuedUtcTime":"2026-01-01T00:00:01Z","IoTHub":{"ConnectionDeviceId":"d1"}}""",
                """{"temperature":70,"EventEnqueuedUtcTime":"2026-01-01T00:00:02Z","IoTHub":{"ConnectionDeviceId":"d1"}}""",
            ]);
        Assert.That(run.Json, Is.EqualTo(new[] { """{"temperature":80.5,"deviceId":"d1","t":"2026-01-01T00:00:01.0000000Z"}""" }));
        Assert.That(run.Rows[0].RowId, Is.EqualTo("q/1/alerts/telemetry/0/o0/0.0"));
    }

    [Test]
    public void Hopping_windows()
    {
        var run = QueryRun.Over(
            "SELECT COUNT(*) AS n, AVG(x) AS a, System.Timestamp() AS t FROM telemetry TIMESTAMP BY ts GROUP BY HoppingWindow(second, 10, 5)",
            ["""{"x":1,"ts":"2026-01-01T00:00:05Z"}"""]);
        Assert.That(run.Json, Is.EqualTo(new[] { """{"n":1,"a":1.0,"t":"2026-01-01T00:00:05.0000000Z"}""", """{"n":1,"a":1.0,"t":"2026-01-01T00:00:10.0000000Z"}""" }));
    }
}
