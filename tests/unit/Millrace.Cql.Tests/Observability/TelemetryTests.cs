using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Observability;

[NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TelemetryTests : IDisposable
{
    private const string Insert = "INSERT INTO ks.t (id) VALUES (?)";
    private const string Delete = "DELETE FROM ks.t WHERE id = ?";
    private static readonly CqlType Text = new(CqlTypeCode.Text);

    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ConcurrentQueue<Dictionary<string, object?>> _atStart = new();
    private readonly ActivityListener _listener;

    public TelemetryTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Millrace.Cql",
            Sample = (ref ActivityCreationOptions<ActivityContext> creation) =>
            {
                _atStart.Enqueue((creation.Tags ?? []).ToDictionary(tag => tag.Key, tag => tag.Value));
                return ActivitySamplingResult.AllData;
            },
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Test]
    public async Task A_statement_leaves_a_span_and_a_duration_by_the_conventions()
    {
        using var meters = new Meters();
        await using var server = Server();
        await using var session = await server.ConnectAsync(o => o.Keyspace = "ks");
        using var caller = new Activity("the caller's").Start();

        await session.ExecuteAsync("SELECT id FROM ks.t");
        Assert.ThrowsAsync<CqlServerException>(async () => await session.ExecuteAsync("UPDATE ks.t SET a = ?", 1));

        var read = _spans.First(span => span.OperationName == "SELECT");
        var write = _spans.First(span => span.OperationName == "UPDATE");
        Assert.That(read.ParentSpanId, Is.EqualTo(caller.SpanId));
        Assert.That(read.GetTagItem("db.system.name"), Is.EqualTo("cassandra"));
        Assert.That(read.GetTagItem("db.namespace"), Is.EqualTo("ks"));
        Assert.That(read.GetTagItem("cassandra.consistency.level"), Is.EqualTo("local_quorum"));
        Assert.That(read.GetTagItem("server.port"), Is.EqualTo(server.EndPoint.Port));
        Assert.That(read.GetTagItem("network.peer.address"), Is.EqualTo("127.0.0.1"));
        Assert.That(read.GetTagItem("cassandra.coordinator.dc"), Is.EqualTo("dc1"));
        Assert.That(write.GetTagItem("db.query.text"), Is.EqualTo("UPDATE ks.t SET a = ?"));
        Assert.That(write.GetTagItem("db.response.status_code"), Is.EqualTo("0x1001"));
        Assert.That(write.Status, Is.EqualTo(ActivityStatusCode.Error));

        (string, object?)[] always =
        [
            ("db.system.name", "cassandra"), ("db.namespace", "ks"), ("server.address", "127.0.0.1"),
            ("server.port", server.EndPoint.Port),
        ];
        var durations = meters.Of("db.client.operation.duration", always);
        Assert.That(durations.Select(one => (one.Tags["db.operation.name"], one.Tags.GetValueOrDefault("error.type"),
                one.Tags.GetValueOrDefault("db.response.status_code"))),
            Is.EqualTo(new (object?, object?, object?)[]
            {
                ("SELECT", null, null), ("UPDATE", "CQ-1001", "0x1001"),
            }));
        Assert.That(durations.Select(one => one.Tags.ContainsKey("db.query.text")), Is.All.False);
    }

    [Test]
    public async Task Statements_after_each_other_are_no_parts_of_each_other()
    {
        await using var server = Server();
        await using var session = await server.ConnectAsync();
        using var caller = new Activity("the caller's").Start();

        for (var i = 0; i < 3; i++)
        {
            await session.ExecuteAsync("SELECT id FROM ks.t");
            Assert.That(Activity.Current, Is.SameAs(caller));
        }

        var reads = _spans.Where(span => span.OperationName == "SELECT").ToList();
        Assert.That(reads, Has.Count.EqualTo(3));
        Assert.That(reads.Select(span => span.ParentSpanId), Is.All.EqualTo(caller.SpanId));
    }

    [Test]
    public async Task A_statement_that_never_began_took_no_time()
    {
        using var meters = new Meters();
        await using var server = Server();
        await using var session = await server.ConnectAsync();
        var startedAt = TimeProvider.System.GetTimestamp();
        Assert.That(async () => await session.ExecuteAsync(
                new SimpleStatement("DELETE FROM ks.t"), new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());

        var durations = meters.Of("db.client.operation.duration", ("db.operation.name", "DELETE"));
        Assert.That(durations.Select(one => one.Value),
            Is.All.LessThanOrEqualTo(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds));
        Assert.That(durations.Count(), Is.EqualTo(1));
    }

    [Test]
    public void The_duration_has_the_buckets_of_the_conventions()
    {
        IReadOnlyList<double>? boundaries = null;
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument is Histogram<double> { Name: "db.client.operation.duration" } duration)
                    boundaries = duration.Advice?.HistogramBucketBoundaries;
            },
        };
        System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(
            typeof(Cql.Observability.CqlMetrics).TypeHandle);
        meters.Start();

        Assert.That(boundaries, Is.EqualTo(new[] { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10 }));
    }

    /// <summary>Values may stand in a text that has no markers for them.</summary>
    [Test]
    public async Task Only_a_text_with_markers_is_told()
    {
        await using var server = Server();
        await using var session = await server.ConnectAsync();
        var select = await session.PrepareAsync("SELECT id FROM ks.t WHERE id = 'anna'");

        await session.ExecuteAsync("INSERT INTO ks.t (id) VALUES ('anna')");
        await session.ExecuteAsync(Insert, "anna");
        await session.ExecuteAsync(select.Bind());
        await session.ExecuteAsync(BatchStatement.Rent().Add("INSERT INTO ks.t (id) VALUES ('anna')"));

        Assert.That(_spans.Select(span => (span.DisplayName, span.GetTagItem("db.query.text"))),
            Is.EqualTo(new (string, object?)[]
            {
                ("INSERT", null), ("INSERT", Insert), ("SELECT", null), ("BATCH", null),
            }));
    }

    [Test]
    public async Task Statements_and_batches_are_named_by_what_they_do_to_which_table()
    {
        await using var server = Server();
        await using var session = await server.ConnectAsync();
        var (insert, delete) = (await session.PrepareAsync(Insert), await session.PrepareAsync(Delete));

        await session.ExecuteAsync(insert.Bind("a"));
        await session.ExecuteAsync(BatchStatement.Rent().Add(insert.Bind("a")));
        await session.ExecuteAsync(BatchStatement.Rent().Add(insert.Bind("a")).Add(insert.Bind("b")));
        await session.ExecuteAsync(
            BatchStatement.Rent().Add(insert.Bind("a")).Add(delete.Bind("b")).Add(insert.Bind("c")));
        await session.ExecuteAsync(BatchStatement.Rent().Add(insert.Bind("a")).Add("DELETE FROM ks.other"));

        (string Name, object? Operation, object? Table, object? Size, object? Text)[] expected =
        [
            ("INSERT ks.t", "INSERT", "ks.t", null, Insert),
            ("INSERT ks.t", "INSERT", "ks.t", null, Insert),
            ("BATCH INSERT ks.t", "BATCH INSERT", "ks.t", 2, Insert),
            ("BATCH ks.t", "BATCH", "ks.t", 3, $"{Insert}; {Delete}"),
            ("BATCH", "BATCH", null, 2, Insert),
        ];
        Assert.That(_spans.Select(span => (span.DisplayName, span.GetTagItem("db.operation.name"),
                span.GetTagItem("db.collection.name"), span.GetTagItem("db.operation.batch.size"),
                span.GetTagItem("db.query.text"))),
            Is.EqualTo(expected));
        Assert.That(_atStart.Select(tags => (tags["db.operation.name"], tags.GetValueOrDefault("db.collection.name"),
                tags.GetValueOrDefault("db.query.text"))),
            Is.EqualTo(expected.Select(one => (one.Operation, one.Table, one.Text))), "sampling may go by them");
    }

    private static FakeServer Server() => new((c, r) => r switch
    {
        { Opcode: Opcode.Prepare } => c.ReplyAsync(r, Opcode.Result, RingRows.Prepared([(byte)r.Text.Length],
            r.Text.Contains('?') ? [("id", Text)] : [])),
        { Opcode: Opcode.Query } when r.Text.StartsWith("UPDATE") => c.ErrorAsync(r, ServerErrorCode.Overloaded),
        _ => c.VoidAsync(r),
    });
}
