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
    private readonly KafkaAdmin _admin;
    private readonly KafkaLogOptions _options;
    private readonly ILogger _log;
    private readonly Channel<AssignmentChange> _changes;
    private readonly CancellationToken _stop;

    // Nobody looks at changes any more, so that none is to be waited for.
    private readonly CancellationTokenSource _unwatched = new();
    private readonly HashSet<TopicPartition> _assigned = [];
    private bool _hasMore;

    private GroupMember(
        string group, string topic, KafkaAdmin admin, KafkaLogOptions options, ILogger log, CancellationToken stop)
    {
        (_group, _topic, _admin, _options, _log, _stop) = (group, topic, admin, options, log, stop);
        _changes = Channel.CreateBounded<AssignmentChange>(ChangesMax);
    }

    /// <summary>
    /// The changes, until the token is cancelled: then all is revoked, and when the work has ended the member leaves.
    /// </summary>
    public static async IAsyncEnumerable<AssignmentChange> WatchAsync(
        string group, string topic, KafkaAdmin admin, KafkaLogOptions options, ILogger log,
        [EnumeratorCancellation] CancellationToken ct)
    {
        using var left = new CancellationTokenSource();
        await using var registration = ct.UnsafeRegister(
            static state => ((CancellationTokenSource)state!).Cancel(), left).ConfigureAwait(false);
        var member = new GroupMember(group, topic, admin, options, log, left.Token);
        var running = Task.Factory.StartNew(
            member.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var change in member._changes.Reader.ReadAllAsync(CancellationToken.None)
                .ConfigureAwait(false)) yield return change;
        }
        finally
        {
            member._changes.Writer.TryComplete();
            await left.CancelAsync().ConfigureAwait(false);
            await member._unwatched.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
            member._unwatched.Dispose();
        }

        ct.ThrowIfCancellationRequested();
    }

    private void Run()
    {
        try
        {
            while (!_stop.IsCancellationRequested) Rejoin();
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
            _stop.WaitHandle.WaitOne(RejoinPause);
        }
    }

    private void Join()
    {
        var settings = KafkaSettings.Member(_options, _admin.Named(_group) + GroupOffsets.MembersSuffix, _topic);
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(settings)
            .SetLogHandler((_, message) => KafkaAdmin.Tell(_log, message))
            .SetErrorHandler(static (_, _) => { })
            .SetPartitionsAssignedHandler((_, partitions) => Assign(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => Revoke([.. partitions.Select(Of)]))
            .SetPartitionsLostHandler((_, partitions) => Lose([.. partitions.Select(Of)]))
            .Build();
        consumer.Subscribe(_admin.Named(_topic));
        while (!_stop.IsCancellationRequested)
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
        }

        Revoke([.. _assigned]);
        consumer.Close();
    }

    private IEnumerable<TopicPartitionOffset> Assign(List<Confluent.Kafka.TopicPartition> partitions)
    {
        var added = partitions.Select(Of).ToList();
        if (added.Count > 0)
        {
            _assigned.UnionWith(added);
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

    private List<TopicPartition> Drop(IEnumerable<TopicPartition> partitions) =>
        [.. partitions.Where(_assigned.Remove)];

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
