using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public partial class OwnerTests
{
    /// <summary>Its engine and its buffers are at work until then.</summary>
    [Test]
    public async Task An_owner_stays_until_its_last_step_has_ended_though_another_partition_has_failed()
    {
        var place = (await PlacesAsync(await QueryAsync(Fleet))).Single();
        await _hub.AppendAsync(0, 1_000, "d", "no JSON");
        var log = new BreakingLog(_hub.Log, place.Sources[1].Partition);
        var run = QueryStream.RunAsync(
            ServicesOver(log), place, new QueryProgress(place.Config, TimeProvider.System), default);
        await Eventually.TrueAsync(() => log.IsLetterUnderWay, "the letter of the row that fails is being written");

        log.Break();
        await Task.WhenAny(run, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
        Assert.That(run.IsCompleted, Is.False, "its step is at work");
        log.Open();
        Assert.That(async () => await run, Throws.InstanceOf<IOException>());
    }

    /// <summary>The rows that are gone are made again; the query has not missed anything.</summary>
    [TestCase(Windows, "alerts")]
    [TestCase(Values, "")]
    public async Task Retention_that_overtakes_a_take_over_is_no_failure_of_the_query(string text, string output)
    {
        var place = (await PlacesAsync(await QueryAsync(text)))[0];
        await FillAsync(new Random(41), 200);
        await using (var before = await TakeOverAsync(place))
            await before.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);
        var log = new RetainedLog(_hub.Log, output == "" ? Topics.Repartition("q") : Topics.Output(output));
        await using var owner = await QueryOwner.TakeOverAsync(
            ServicesOver(log), place, new QueryProgress(place.Config, TimeProvider.System), default);

        Assert.That(log.First, Is.EqualTo(2));
        Assert.That(owner.IsCatchingUp, Is.True);
    }

    /// <summary>Retention deletes the first records of a topic as soon as somebody has seen them.</summary>
    private sealed class RetainedLog(IEventLog log, string topic) : ForwardingLog(log)
    {
        public long First { get; private set; }

        public override IPartitionReader OpenReader(TopicPartition partition, long offset)
        {
            if (partition.Topic != topic) return base.OpenReader(partition, offset);
            First = 2;
            return offset < First
                ? throw EventLogErrors.Trimmed.With(partition).AsException()
                : base.OpenReader(partition, offset);
        }

        public override async ValueTask<OffsetRange> RangeAsync(
            TopicPartition partition, CancellationToken ct = default)
        {
            var range = await base.RangeAsync(partition, ct);
            return partition.Topic == topic ? range with { First = Math.Max(range.First, First) } : range;
        }
    }

    /// <summary>Letters wait until it is opened; the reader of one partition fails when it breaks.</summary>
    private sealed class BreakingLog(IEventLog log, TopicPartition broken) : ForwardingLog(log)
    {
        private readonly TaskCompletionSource _open = new(), _broken = new();

        public bool IsLetterUnderWay { get; private set; }

        public void Break() => _broken.SetResult();

        public void Open() => _open.SetResult();

        public override async ValueTask<OffsetRange> AppendAsync(
            TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
        {
            if (partition.Topic == Contracts.Topics.DeadLetter)
            {
                IsLetterUnderWay = true;
                await _open.Task;
            }

            return await base.AppendAsync(partition, records, ct);
        }

        public override IPartitionReader OpenReader(TopicPartition partition, long offset)
        {
            var reader = base.OpenReader(partition, offset);
            return partition == broken ? new BreakingReader(reader, _broken.Task) : reader;
        }
    }

    private sealed class BreakingReader(IPartitionReader inner, Task broken) : IPartitionReader
    {
        public long Position => inner.Position;

        public async ValueTask<RecordBatch> ReadAsync(int bytesMax, CancellationToken ct)
        {
            await broken.WaitAsync(ct);
            throw new IOException("It is broken.");
        }

        public ValueTask<RecordBatch?> TryReadAsync(int bytesMax, CancellationToken ct) =>
            inner.TryReadAsync(bytesMax, ct);

        public void Seek(long offset) => inner.Seek(offset);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
