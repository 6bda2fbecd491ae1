using System.Text;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Extensions;
using Millrace.Stores;
using Millrace.Stores.Outputs;
using Millrace.StreamProcessor.References;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Reference data from the warm store, which says whether it has anything new.</summary>
public class StoredReferenceTests
{
    private static readonly TopicPartition Means = new(Topics.Output("means"), 1);

    private readonly ShiftedTime _time = new();
    private ProcessorFixture _hub = null!;
    private CountingOutputs _outputs = null!;
    private OutputReference _reference = null!;
    private long _next;

    [SetUp]
    public async Task OpenAsync()
    {
        _hub = new ProcessorFixture();
        await _hub.StartTopicsAsync();
        await _hub.Log.EnsureTopicAsync(new TopicSpec(Means.Topic, ProcessorFixture.Partitions));
        _outputs = new CountingOutputs(_hub.Get<IOutputStore>());
        var stored = new StoredTopic(Means.Topic, _hub.Log, _outputs.PositionAsync, _time);
        var options = new ReferenceOptions { Output = "means", Key = ["d"], AgeMax = TimeSpan.FromMinutes(5) };
        _reference = new OutputReference(options, _outputs, stored, 1_000_000, _time);
    }

    [TearDown]
    public async Task CloseAsync() => await _hub.DisposeAsync();

    [Test]
    public async Task Rows_are_read_again_when_the_store_has_taken_more_of_the_output_and_only_then()
    {
        await WriteAsync("a", 1, ageMinutes: 2);
        await WriteAsync("b", 2, ageMinutes: 1);
        Assert.That(await EntriesAsync(), Is.EqualTo(new[] { Row("a", 1), Row("b", 2) }));
        for (var i = 0; i < 5; i++) Assert.That((await EntriesAsync()).Length, Is.EqualTo(2));
        Assert.That(_outputs.Queries, Is.EqualTo(1));

        await WriteAsync("a", 3, ageMinutes: 0);
        Assert.That(await EntriesAsync(), Is.EqualTo(new[] { Row("b", 2), Row("a", 3) }));
        Assert.That(_outputs.Queries, Is.EqualTo(2));
    }

    [Test]
    public async Task Rows_that_grow_too_old_go_without_the_store_and_all_are_read_again_after_a_while()
    {
        await WriteAsync("a", 1, ageMinutes: 2);
        await WriteAsync("b", 2, ageMinutes: 0);
        Assert.That((await EntriesAsync()).Length, Is.EqualTo(2));
        _time.Move(TimeSpan.FromMinutes(4));
        Assert.That(await EntriesAsync(), Is.EqualTo(new[] { Row("b", 2) }));
        Assert.That(_outputs.Queries, Is.EqualTo(1));

        var before = new FakeTimeProvider();
        var stored = new StoredTopic(Means.Topic, _hub.Log, _outputs.PositionAsync, before);
        (await stored.ChangedAsync(default))!.Done();
        Assert.That(await stored.ChangedAsync(default), Is.Null);
        before.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await stored.ChangedAsync(default), Is.Not.Null, "retention leaves no trace in positions");
    }

    private async Task<string[]> EntriesAsync() =>
        [.. (await _reference.ReadAsync(default)).Select(Encoding.UTF8.GetString)];

    private async Task WriteAsync(string device, int mean, int ageMinutes) => await _outputs.WriteAsync(Means,
        [new OutputRow($"{_next}", "means", "q", 1, _time.GetUtcNow().AddMinutes(-ageMinutes), Row(device, mean))],
        new SinkPosition(++_next), default);

    private static string Row(string device, int mean) => $$"""{"d":"{{device}}","m":{{mean}}}""";

    private sealed class CountingOutputs(IOutputStore store) : IOutputStore
    {
        public int Queries { get; private set; }

        public ValueTask WriteAsync(
            TopicPartition partition, IReadOnlyList<OutputRow> rows, SinkPosition position, CancellationToken ct) =>
            store.WriteAsync(partition, rows, position, ct);

        public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
            store.PositionAsync(partition, ct);

        public ValueTask<Page<OutputRow>> QueryAsync(
            string output, DateTimeOffset? from, DateTimeOffset? to, int limit, string? continuation,
            CancellationToken ct)
        {
            Queries++;
            return store.QueryAsync(output, from, to, limit, continuation, ct);
        }

        public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) =>
            store.ExpireAsync(before, ct);
    }
}
