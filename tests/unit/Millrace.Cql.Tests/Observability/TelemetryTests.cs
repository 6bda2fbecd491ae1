using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Observability;

[NonParallelizable]
public class TelemetryTests
{
    [Test]
    public async Task A_statement_leaves_a_span_and_a_duration_by_the_conventions()
    {
        var spans = new ConcurrentQueue<Activity>();
        var durations = new ConcurrentQueue<Dictionary<string, object?>>();
        IReadOnlyList<double>? boundaries = null;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Millrace.Cql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument is not Histogram<double> { Name: "db.client.operation.duration" } duration) return;
                self.EnableMeasurementEvents(duration);
                boundaries = duration.Advice?.HistogramBucketBoundaries;
            },
        };
        meters.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            durations.Enqueue(tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));
        meters.Start();
        await using var server = new FakeServer((c, r) => r.Opcode == Opcode.Query && r.Text.StartsWith("UPDATE")
            ? c.ErrorAsync(r, ServerErrorCode.Overloaded)
            : c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        await session.ExecuteAsync("SELECT id FROM ks.t");
        Assert.ThrowsAsync<CqlServerException>(async () => await session.ExecuteAsync("UPDATE ks.t SET a = ?", 1));

        Assert.That(boundaries, Is.EqualTo(new[] { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10 }));
        var read = spans.First(span => span.OperationName == "SELECT");
        var write = spans.First(span => span.OperationName == "UPDATE");
        Assert.That(read.GetTagItem("db.system.name"), Is.EqualTo("cassandra"));
        Assert.That(read.GetTagItem("db.query.text"), Is.EqualTo("SELECT id FROM ks.t"));
        Assert.That(read.GetTagItem("cassandra.consistency.level"), Is.EqualTo("local_quorum"));
        Assert.That(read.GetTagItem("server.port"), Is.EqualTo(server.EndPoint.Port));
        Assert.That(read.GetTagItem("cassandra.coordinator.dc"), Is.EqualTo("dc1"));
        Assert.That(write.GetTagItem("db.response.status_code"), Is.EqualTo("0x1001"));
        Assert.That(write.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(durations.Select(tags => (tags["db.operation.name"], tags.GetValueOrDefault("error.type"))),
            Is.SupersetOf(new (object?, object?)[] { ("SELECT", null), ("UPDATE", "CQ-1001") }));
    }
}
