using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Processes that share the partitions of a topic.</summary>
public sealed class KafkaGroupTests : KafkaTest
{
    [Test]
    public async Task Partitions_move_to_a_second_process_when_the_first_has_ended_its_work_on_them()
    {
        await using var first = new Member(await OpenAsync("telemetry"));
        await first.HasAsync(4);
        await using var second = new Member(await OpenAsync("telemetry"));

        var revoked = await first.RevokedAsync();
        Assert.That(revoked.Partitions, Has.Count.EqualTo(2));
        Assert.That(second.Partitions, Is.Empty, "while the first works on them");
        revoked.Complete();

        await second.HasAsync(2);
        Assert.That(first.Partitions.Union(second.Partitions), Has.Count.EqualTo(4));
    }

    [Test]
    public async Task Who_leaves_hands_its_partitions_over_at_once()
    {
        await using var first = new Member(await OpenAsync("telemetry"));
        await first.HasAsync(4);
        var second = new Member(await OpenAsync("telemetry"), completes: true);
        (await first.RevokedAsync()).Complete();
        await second.HasAsync(2);

        await second.DisposeAsync();

        await first.HasAsync(4);
    }

    [Test]
    public async Task A_process_with_a_name_of_its_own_comes_back_to_its_partitions()
    {
        Options.Consumer.InstanceId = "one";
        var first = new Member(await OpenAsync("telemetry"), completes: true);
        await first.HasAsync(4);
        var had = first.Partitions;
        Options.Consumer.InstanceId = "two";
        await using var second = new Member(await OpenAsync("telemetry"), completes: true);
        await second.HasAsync(2);
        await first.HasAsync(2);
        had = first.Partitions;

        await first.DisposeAsync();
        Options.Consumer.InstanceId = "one";
        await using var again = new Member(await OpenAsync("telemetry"), completes: true);

        await again.HasAsync(2);
        Assert.That(again.Partitions, Is.EquivalentTo(had));
        Assert.That(second.Partitions, Has.Count.EqualTo(2), "nothing moved while it was away");
    }

    [Test]
    public async Task The_lag_is_what_was_appended_and_not_committed()
    {
        var log = await OpenAsync("telemetry");
        var partition = new TopicPartition("telemetry", 1);
        await AppendAsync(log, partition, "a", "b", "c");
        await log.CommitAsync("group", partition, 1);

        var ends = await log.Admin.EndsAsync([.. log.Groups.Own.Select(own => own.Partition)], default);

        Assert.That(log.Groups.Own, Is.EqualTo(new[] { ("group", partition, 1L) }));
        Assert.That(ends[partition], Is.EqualTo(3));
    }

    [Test]
    public async Task Many_commits_at_once_end_with_the_last()
    {
        var log = await OpenAsync("telemetry");
        var partition = new TopicPartition("telemetry", 1);
        var commits = Enumerable.Range(1, 200).Select(n => log.CommitAsync("group", partition, n, $"{n}").AsTask());
        await Task.WhenAll(commits);
        Assert.That(await log.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(200, "200")));
    }

    /// <summary>Follows one process's partitions.</summary>
    private sealed class Member : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Lock _gate = new();
        private readonly HashSet<TopicPartition> _partitions = [];
        private readonly TaskCompletionSource<AssignmentChange> _revoked =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _running;

        public Member(KafkaLog log, bool completes = false) =>
            _running = Task.Run(() => FollowAsync(log, completes));

        public IReadOnlyList<TopicPartition> Partitions
        {
            get
            {
                lock (_gate) return [.. _partitions];
            }
        }

        public Task<AssignmentChange> RevokedAsync() => _revoked.Task.WaitAsync(Patience);

        public Task HasAsync(int count) => TestKit.Eventually.TrueAsync(
            () => Partitions.Count == count, $"it has {count} partitions", Patience);

        public async ValueTask DisposeAsync()
        {
            if (_stop.IsCancellationRequested) return;
            await _stop.CancelAsync();
            await _running;
        }

        private async Task FollowAsync(KafkaLog log, bool completes)
        {
            try
            {
                await foreach (var change in log.WatchAssignmentAsync("group", "telemetry", _stop.Token))
                {
                    lock (_gate)
                    {
                        if (change.Kind == AssignmentKind.Assigned) _partitions.UnionWith(change.Partitions);
                        else _partitions.ExceptWith(change.Partitions);
                    }

                    if (change.Kind == AssignmentKind.Assigned) continue;
                    if (completes || _stop.IsCancellationRequested || !_revoked.TrySetResult(change)) change.Complete();
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // It left.
            }
        }
    }
}
