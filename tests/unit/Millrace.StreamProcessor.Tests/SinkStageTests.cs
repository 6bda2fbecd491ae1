using Akka.Streams;
using Akka.Streams.Dsl;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.StreamProcessor.Sources;
using Millrace.StreamProcessor.WarmWriter;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>From the log through the source, a sink and the commit: back-pressure, failure, drain, rebalance.</summary>
public class SinkStageTests
{
    private const int Records = 2_000;
    private const int RowsMax = 50;
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 0);

    private ProcessorFixture _hub = null!;
    private SharedLog _log = null!;
    private GatedSink _sink = null!;

    [SetUp]
    public async Task Open()
    {
        _hub = new ProcessorFixture();
        await _hub.StartTopicsAsync();
        _log = new SharedLog(_hub.Log);
        _sink = new GatedSink();
        for (var i = 0; i < Records; i++) await _hub.AppendAsync(0, i, "d", $$"""{"v":{{i}}}""");
    }

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_sink_that_is_slow_holds_up_the_reader_and_nothing_is_committed_that_it_has_not()
    {
        _sink.Shut();
        using var stop = new CancellationTokenSource();
        var running = Streams().RunAsync(_sink, Topics.Telemetry, stop.Token);
        await _log.OwnAsync(0);
        await Eventually.TrueAsync(() => _sink.Waiting == 1, "a write is under way");
        await Eventually.TrueAsync(() => _log.RecordsRead >= RowsMax, "more is gathered meanwhile");

        // What gathers, what the stages hold, and the write itself.
        Assert.That(_log.RecordsRead, Is.LessThan(Records / 2));
        Assert.That(await _hub.Log.CommittedAsync(_sink.Name, Partition), Is.Null);
        _sink.Open();
        await Eventually.TrueAsync(() => _sink.Next == Records, "all is written");
        await Eventually.TrueAsync(async () =>
            (await _hub.Log.CommittedAsync(_sink.Name, Partition))?.NextOffset == Records, "and committed");
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task A_partition_that_goes_is_given_back_when_the_write_that_was_begun_is_done()
    {
        _sink.Shut();
        using var stop = new CancellationTokenSource();
        var running = Streams().RunAsync(_sink, Topics.Telemetry, stop.Token);
        await _log.OwnAsync(0);
        await Eventually.TrueAsync(() => _sink.Waiting == 1, "a write is under way");

        var given = _log.OwnAsync();
        await Task.WhenAny(given, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System));
        Assert.That(given.IsCompleted, Is.False, "the write is under way yet");
        _sink.Open();
        await given;
        var written = _sink.Next;
        Assert.That(written, Is.GreaterThan(0));
        await _log.OwnAsync(0);
        await Eventually.TrueAsync(() => _sink.Next == Records, "who takes it goes on behind it");
        Assert.That(_sink.Doubled, Is.Zero);
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task A_write_that_fails_is_tried_again_from_where_the_store_stands()
    {
        _sink.FailAt(300);
        using var stop = new CancellationTokenSource();
        var running = Streams().RunAsync(_sink, Topics.Telemetry, stop.Token);
        await _log.OwnAsync(0);

        await Eventually.TrueAsync(() => _sink.Next == Records, "all is written");
        Assert.That((_sink.Failed, _sink.Doubled), Is.EqualTo((1, 0)));
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task A_watch_of_the_assignment_that_fails_ends_the_work_and_begins_again()
    {
        using var stop = new CancellationTokenSource();
        var running = Streams().RunAsync(_sink, Topics.Telemetry, stop.Token);
        await _log.OwnAsync(0);
        await Eventually.TrueAsync(() => _sink.Next == Records, "all is written");
        _log.FailWatches();
        await _hub.AppendAsync(0, Records, "d", "{}");

        await Eventually.TrueAsync(() => _sink.Next == Records + 1, "it goes on");
        Assert.That(_sink.Doubled, Is.Zero);
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task A_source_reads_only_what_is_asked_for_and_closes_its_reader_at_the_end()
    {
        var (killSwitch, taken) = Source.FromGraph(new PartitionSourceStage(_log, Partition, 0, 1_000))
            .ViaMaterialized(KillSwitches.Single<RecordBatch>(), Keep.Right)
            .Take(1).ToMaterialized(Sink.Seq<RecordBatch>(), Keep.Both)
            .Run(_hub.Get<StreamRuntime>().Materializer);
        Assert.That((await taken).Single().FirstOffset, Is.Zero);
        killSwitch.Shutdown();

        await Eventually.TrueAsync(() => _log.ReadersOpen == 0, "the reader is closed");
        Assert.That(_log.RecordsRead, Is.LessThan(Records / 10));
    }

    [Test]
    public async Task A_source_fails_with_what_the_log_fails_with()
    {
        await _hub.Log.TrimAsync(Partition, Records);
        var done = Source.FromGraph(new PartitionSourceStage(_log, Partition, 0, 1_000))
            .RunWith(Sink.Ignore<RecordBatch>(), _hub.Get<StreamRuntime>().Materializer);

        var failure = Assert.CatchAsync(async () => await done);
        var own = failure as MillraceException ?? failure!.InnerException as MillraceException;
        Assert.That(own?.Error.Code, Is.EqualTo("LOG-0004"));
        await Eventually.TrueAsync(() => _log.ReadersOpen == 0, "the reader is closed");
    }

    private SinkStreams Streams() => new(_log, _hub.Get<StreamRuntime>(), Options.Create(new StreamProcessorOptions
    {
        ReadBytesMax = ByteSize.FromKiB(1),
        WarmRowsMax = RowsMax,
        RestartDelayMin = TimeSpan.FromMilliseconds(10),
    }), TimeProvider.System, NullLogger<SinkStreams>.Instance);

    /// <summary>A store in memory, whose writes can be made to wait, or to fail.</summary>
    private sealed class GatedSink : ITopicSink
    {
        private volatile TaskCompletionSource _gate = Opened();
        private long _failAt = long.MaxValue;
        private long _next;
        private int _waiting;

        public string Name => "gated-writer";

        public long Next => Interlocked.Read(ref _next);

        public int Waiting => Volatile.Read(ref _waiting);

        public int Failed { get; private set; }

        public int Doubled { get; private set; }

        public void Shut() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Open() => _gate.TrySetResult();

        public void FailAt(long offset) => _failAt = offset;

        public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
            new(Next > 0 ? new SinkPosition(Next) : null);

        public async ValueTask<string?> WriteAsync(
            TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken ct)
        {
            Interlocked.Increment(ref _waiting);
            await _gate.Task;
            Interlocked.Decrement(ref _waiting);
            if (batches[^1].NextOffset > _failAt)
            {
                _failAt = long.MaxValue;
                Failed++;
                throw new IOException("It fails.");
            }

            foreach (var batch in batches)
            {
                if (batch.FirstOffset != Next) Doubled++;
                Interlocked.Exchange(ref _next, batch.NextOffset);
            }

            return null;
        }

        private static TaskCompletionSource Opened()
        {
            var gate = new TaskCompletionSource();
            gate.SetResult();
            return gate;
        }
    }
}
