using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.StreamProcessor.WarmWriter;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What gathers for a sink while a write is under way.</summary>
public class GatheringTests
{
    private const int Records = 40;
    private static readonly ByteSize Most = ByteSize.FromKiB(64);

    [Test]
    public async Task No_more_bytes_gather_than_one_write_may_have()
    {
        await using var hub = new ProcessorFixture(settings: new Dictionary<string, string?>
        {
            ["StreamProcessor:WarmBytesMax"] = $"{Most}",
            ["StreamProcessor:ReadBytesMax"] = "16KiB",
        });
        await hub.StartTopicsAsync();
        var sink = new SlowSink();
        using var stop = new CancellationTokenSource();
        var run = hub.Get<SinkStreams>().RunAsync(sink, Topics.Telemetry, stop.Token);
        var body = new string('x', 10_000);
        await hub.AppendAsync(0, 1_000, "d", body);
        await Eventually.TrueAsync(() => sink.IsWriting, "a write is under way");
        for (var i = 1; i < Records; i++) await hub.AppendAsync(0, 1_000, "d", body);

        // Without a limit all of it gathers.
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        sink.Open();
        await Eventually.TrueAsync(() => sink.Records == Records, "all is written");
        Assert.That(sink.MostBytes, Is.LessThanOrEqualTo(Most.Bytes).And.GreaterThan(body.Length * 2));
        await stop.CancelAsync();
        await run;
    }

    /// <summary>Its first write waits until it is told to go on.</summary>
    private sealed class SlowSink : ITopicSink
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isWriting;
        private volatile int _records;

        public string Name => "slow";

        public bool IsWriting => _isWriting;

        public int Records => _records;

        public long MostBytes { get; private set; }

        public void Open() => _open.SetResult();

        public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) => default;

        public async ValueTask<string?> WriteAsync(
            TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
        {
            _isWriting = true;
            await _open.Task;
            MostBytes = Math.Max(MostBytes, batches.Sum(batch => (long)batch.Bytes.Length));
            _records += batches.Sum(batch => batch.Count);
            return metadata;
        }
    }
}
