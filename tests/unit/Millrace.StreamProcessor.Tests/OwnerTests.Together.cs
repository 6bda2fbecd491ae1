using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.Queries;
using Millrace.StreamProcessor.Sinks;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public partial class OwnerTests
{
    /// <summary>A log far away takes its time for each answer, and in a row they would take all of it.</summary>
    [Test]
    public async Task What_is_asked_of_the_log_for_each_partition_is_asked_together()
    {
        var place = (await PlacesAsync(await QueryAsync(Fleet))).Single();
        var log = new GatheringLog(_hub.Log);
        await using var owner = await QueryOwner.TakeOverAsync(
            ServicesOver(log), place, new QueryProgress(place.Config, TimeProvider.System), default);
        Assert.That(log.CommitsAtOnce, Is.EqualTo(ProcessorFixture.Partitions + 1), "inputs and the output");

        // All at one time, so that the first window waits for every one.
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (partition, _) in owner.Positions)
        {
            await _hub.AppendAsync(partition.Partition, now, "d", """{"v":1}""");
            await owner.ProcessAsync(await BatchAsync(partition), default);
        }

        await Eventually.TrueAsync(async () =>
        {
            await owner.TickAsync(default);
            return log.RangesAtOnce == ProcessorFixture.Partitions;
        }, "the ends of all partitions are asked for together");
    }

    private QueryServices ServicesOver(IEventLog log, ICheckpointStore? checkpoints = null) => new(
        log, checkpoints ?? _hub.Get<ICheckpointStore>(), _hub.Get<StoreRetry>(),
        new DeadLetterWriter(log, _hub.Get<DeadLetterLog>()),
        _hub.Get<Sources.StreamRuntime>(), _hub.Get<LateLetters>(), _hub.Get<SharedInputs>(),
        _hub.Get<References.ReferenceData>(),
        _hub.Get<Sources.PromotedModels>(), _hub.Get<RecordClock>(),
        _hub.Get<Microsoft.Extensions.Options.IOptions<StreamProcessorOptions>>(),
        _hub.Get<Microsoft.Extensions.Options.IOptions<Hosting.Node.NodeOptions>>(), TimeProvider.System,
        _hub.Get<Microsoft.Extensions.Logging.ILogger<QueryServices>>());

    /// <summary>Counts what is under way at the same time.</summary>
    private sealed class GatheringLog(IEventLog log) : ForwardingLog(log)
    {
        private static readonly TimeSpan Far = TimeSpan.FromMilliseconds(500);
        private int _commits, _ranges;

        public int CommitsAtOnce { get; private set; }

        public int RangesAtOnce { get; private set; }

        public override async ValueTask CommitAsync(
            string group, TopicPartition partition, long nextOffset, string? metadata = null,
            CancellationToken ct = default)
        {
            CommitsAtOnce = Math.Max(CommitsAtOnce, Interlocked.Increment(ref _commits));
            await Task.Delay(Far, TimeProvider.System, ct);
            Interlocked.Decrement(ref _commits);
            await base.CommitAsync(group, partition, nextOffset, metadata, ct);
        }

        public override async ValueTask<OffsetRange> RangeAsync(
            TopicPartition partition, CancellationToken ct = default)
        {
            RangesAtOnce = Math.Max(RangesAtOnce, Interlocked.Increment(ref _ranges));
            await Task.Delay(Far, TimeProvider.System, ct);
            Interlocked.Decrement(ref _ranges);
            return await base.RangeAsync(partition, ct);
        }
    }
}
