using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// A member of the group whose members share the partitions of a topic. It reads nothing: whoever works on a partition
/// opens a reader. A revocation holds the group up until the work has ended, or a limit is over.
/// </summary>
internal sealed class GroupMember
{
    // Enough for a poll, whose handlers add one change each.
    private const int ChangesMax = 16;
    private static readonly TimeSpan PollMost = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RejoinPause = TimeSpan.FromSeconds(1);

    private readonly string _group;
    private readonly string _topic;
    private readonly int _partitions;
    private readonly KafkaAdmin _admin;
    private readonly KafkaLogOptions _options;
    private readonly ILogger _log;
    private readonly Channel<AssignmentChange> _changes = Channel.CreateBounded<AssignmentChange>(ChangesMax);
    private readonly ConcurrentDictionary<TopicPartition, long> _shown = new();
    private readonly CancellationTokenSource _leaving = new();

    // Nobody looks at changes any more, so that none is to be waited for.
    private readonly CancellationTokenSource _unwatched = new();
    private readonly HashSet<TopicPartition> _assigned = [];
    private volatile IReadOnlyList<TopicPartition> _held = [];
    private bool _hasMore;

    public GroupMember(string group, TopicInfo topic, KafkaAdmin admin, KafkaLogOptions options, ILogger log) =>
        (_group, _topic, _partitions, _admin, _options, _log) =
        (group, topic.Name, topic.Partitions, admin, options, log);

    /// <summary>The partitions that it has now.</summary>
    public IReadOnlyList<TopicPartition> Held => _held;

    /// <summary>What was committed, for the tools of the cluster; it learns of it within seconds.</summary>
    public void Show(TopicPartition partition, long nextOffset) => _shown[partition] = nextOffset;

    /// <summary>
    /// The changes, until the token is cancelled: then all is revoked, and when the work has ended the member leaves.
    /// </summary>
    public async IAsyncEnumerable<AssignmentChange> WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await using var registration = ct.UnsafeRegister(
            static state => ((CancellationTokenSource)state!).Cancel(), _leaving).ConfigureAwait(false);
        var running = Task.Factory.StartNew(
            Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var change in _changes.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return change;
        }
        finally
        {
            _changes.Writer.TryComplete();
            await _leaving.CancelAsync().ConfigureAwait(false);
            await _unwatched.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
            _unwatched.Dispose();
        }

        ct.ThrowIfCancellationRequested();
    }

    private void Run()
    {
        try
        {
            while (!_leaving.IsCancellationRequested) Rejoin();
            _changes.Writer.TryComplete();
        }
        catch (Exception e)
        {
            _changes.Writer.TryComplete(e);
        }
    }

    private void Rejoin()
    {
        try
        {
            Join();
        }
        catch (KafkaException e)
        {
            _log.MemberFailed(_group, e.Error.ToString());
            Lose([.. _assigned]);
            _leaving.Token.WaitHandle.WaitOne(RejoinPause);
        }
    }

    private void Join()
    {
        var settings = KafkaSettings.Member(_options, _admin.Named(_group), _topic);
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(settings)
            .SetLogHandler((_, message) => KafkaAdmin.Tell(_log, message))
            .SetErrorHandler(static (_, _) => { })
            .SetPartitionsAssignedHandler((_, partitions) => Assign(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => Revoke([.. partitions.Select(Of)]))
            .SetPartitionsLostHandler((_, partitions) => Lose([.. partitions.Select(Of)]))
            .Build();
        consumer.Subscribe(_admin.Named(_topic));
        while (!_leaving.IsCancellationRequested)
        {
            try
            {
                consumer.Consume(PollMost);
            }
            catch (ConsumeException e) when (!e.Error.IsFatal)
            {
                _log.ClientFailed(e.Error.Code.ToString(), e.Error.Reason);
            }

            // It is a member to share partitions, and never reads one.
            if (_hasMore) consumer.Pause(consumer.Assignment);
            _hasMore = false;
            foreach (var (partition, next) in _shown) Store(consumer, partition, next);
        }

        Revoke([.. _assigned]);
        consumer.Close();
    }

    private void Store(IConsumer<Ignore, Ignore> consumer, TopicPartition partition, long next)
    {
        _shown.TryRemove(new(partition, next));
        if (!_assigned.Contains(partition)) return;
        try
        {
            consumer.StoreOffset(new TopicPartitionOffset(_admin.Named(_topic), partition.Partition, next));
        }
        catch (KafkaException e)
        {
            // It is for others to see, and nothing depends on it.
            _log.ClientFailed(e.Error.Code.ToString(), e.Error.Reason);
        }
    }

    private IEnumerable<TopicPartitionOffset> Assign(List<Confluent.Kafka.TopicPartition> partitions)
    {
        // The topic may have been given more since.
        var added = partitions.Select(Of).Where(partition => partition.Partition < _partitions).ToList();
        if (added.Count > 0)
        {
            _assigned.UnionWith(added);
            _held = [.. _assigned];
            _hasMore = true;
            _log.Assigned(_group, _topic, Numbers(added));
            Tell(new AssignmentChange(AssignmentKind.Assigned, added, () => { }));
        }

        return partitions.Select(partition => new TopicPartitionOffset(partition, Offset.End));
    }

    private void Revoke(IReadOnlyList<TopicPartition> partitions)
    {
        if (Drop(partitions) is not { Count: > 0 } gone) return;
        _log.Revoked(_group, _topic, Numbers(gone));
        EndWork(gone);
    }

    /// <summary>Another process may have them by now: all the more reason to end the work on them.</summary>
    private void Lose(IReadOnlyList<TopicPartition> partitions)
    {
        if (Drop(partitions) is not { Count: > 0 } gone) return;
        _log.Lost(_group, _topic, Numbers(gone));
        EndWork(gone);
    }

    private List<TopicPartition> Drop(IEnumerable<TopicPartition> partitions)
    {
        var gone = partitions.Where(_assigned.Remove).ToList();
        _held = [.. _assigned];
        return gone;
    }

    private void EndWork(IReadOnlyList<TopicPartition> partitions)
    {
        using var ended = new ManualResetEventSlim();
        var change = new AssignmentChange(AssignmentKind.Revoked, partitions, () => SetQuietly(ended));
        if (!Tell(change)) return;
        try
        {
            if (!ended.Wait(_options.Consumer.RevocationTimeout, _unwatched.Token))
                _log.RevocationLate(_group, _topic, _options.Consumer.RevocationTimeout);
        }
        catch (OperationCanceledException)
        {
            // Who watched has gone.
        }
    }

    /// <summary>It may come when nobody waits any more.</summary>
    private static void SetQuietly(ManualResetEventSlim ended)
    {
        try
        {
            ended.Set();
        }
        catch (ObjectDisposedException)
        {
            // Too late.
        }
    }

    /// <summary>False when nobody looks any more.</summary>
    private bool Tell(AssignmentChange change)
    {
        while (!_changes.Writer.TryWrite(change))
        {
            if (!_changes.Writer.WaitToWriteAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
                return false;
        }

        return true;
    }

    private TopicPartition Of(Confluent.Kafka.TopicPartition partition) => new(_topic, partition.Partition.Value);

    private TopicPartition Of(TopicPartitionOffset partition) => new(_topic, partition.Partition.Value);

    private static string Numbers(IEnumerable<TopicPartition> partitions) =>
        string.Join(", ", partitions.Select(partition => partition.Partition).Order());
}
