using System.Diagnostics.Metrics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.EventLog.Kafka.Groups;
using TopicPartition = Millrace.Contracts.TopicPartition;

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
        Assert.That(first.Partitions.Union(second.Partitions).Count(), Is.EqualTo(4));
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

    /// <summary>The brokers throw the one out that came first; it comes again.</summary>
    [Test]
    public async Task Of_two_processes_with_one_name_the_first_loses_its_partitions_and_has_them_when_it_is_alone()
    {
        Options.Consumer.InstanceId = "one";
        await using var first = new Member(await OpenAsync("telemetry"), completes: true);
        await first.HasAsync(4);
        var second = new Member(await OpenAsync("telemetry"), completes: true);
        await second.HasAsync(4);
        await first.HasAsync(0);

        await second.DisposeAsync();
        await first.HasAsync(4);
    }

    [Test]
    public async Task Who_works_on_after_the_time_it_is_given_loses_its_partitions_to_others()
    {
        Options.Consumer.RevocationTimeout = TimeSpan.FromSeconds(1);
        await using var first = new Member(await OpenAsync("telemetry"));
        await first.HasAsync(4);
        await using var second = new Member(await OpenAsync("telemetry"));

        var late = await first.RevokedAsync();
        await second.HasAsync(2);
        Assert.That(second.Partitions, Is.EquivalentTo(late.Partitions));
        late.Complete();
        Assert.That(first.Partitions, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task The_lag_is_what_was_appended_and_not_committed()
    {
        var log = await OpenAsync("telemetry");
        await AppendAsync(log, new TopicPartition("telemetry", 1), "a", "b", "c");
        await AppendAsync(log, new TopicPartition("telemetry", 2), "a");
        await using var member = new Member(log, completes: true);
        await member.HasAsync(4);
        Assert.That(await LagsAsync(log), Is.Empty, "of a group that never committed on the topic");

        await log.CommitAsync("group", new TopicPartition("telemetry", 1), 1);

        Assert.That(await LagsAsync(log), Is.EqualTo(new[] { (3L, "group") }), "with what was never committed");
    }

    [Test]
    public async Task The_lag_of_partitions_that_moved_is_told_by_who_has_them()
    {
        var log = await OpenAsync("telemetry");
        var other = await OpenAsync("telemetry");
        await using var first = new Member(log, completes: true);
        await first.HasAsync(4);
        for (var number = 0; number < 4; number++)
            await log.CommitAsync("group", new TopicPartition("telemetry", number), 0);
        await using var second = new Member(other, completes: true);
        await second.HasAsync(2);
        foreach (var moved in second.Partitions) await AppendAsync(other, moved, "a", "b", "c");

        Assert.That(await LagsAsync(log), Is.EqualTo(new[] { (0L, "group") }));
        Assert.That(await LagsAsync(other), Is.EqualTo(new[] { (6L, "group") }));
        await first.DisposeAsync();
        Assert.That(await LagsAsync(log), Is.Empty, "of who has left");
    }

    [Test]
    public async Task Tools_of_the_cluster_see_what_was_committed()
    {
        var log = await OpenAsync("telemetry");
        var partition = new TopicPartition("telemetry", 1);
        await AppendAsync(log, partition, "a", "b", "c");
        await using var member = new Member(log, completes: true);
        await member.HasAsync(4);
        await log.CommitAsync("group", partition, 2);

        using var tool = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = Options.BootstrapServers,
            GroupId = Options.Prefix + "group",
        }).Build();
        var asked = new Confluent.Kafka.TopicPartition(Options.Prefix + "telemetry", 1);
        await TestKit.Eventually.TrueAsync(
            () => tool.Committed([asked], TimeSpan.FromSeconds(5))[0].Offset.Value == 2, "they see it", Patience);
    }

    [Test]
    public async Task What_others_committed_is_found_after_a_restart_too()
    {
        var partition = new TopicPartition("telemetry", 1);
        var first = await OpenAsync("telemetry");
        var second = await OpenAsync("telemetry");
        Assert.That(await second.CommittedAsync("group", partition), Is.Null);
        await first.CommitAsync("group", partition, 7, "text");
        Assert.That(await second.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(7, "text")));
        await second.CommitAsync("group", partition, 8);
        Assert.That(await first.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(8, null)));
        await first.DisposeAsync();
        var third = await OpenAsync("telemetry");
        Assert.That(await third.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(8, null)));
    }

    [Test]
    public async Task What_another_program_wrote_among_the_commits_hides_none_of_them()
    {
        var partition = new TopicPartition("telemetry", 1);
        var log = await OpenAsync("telemetry");
        await log.CommitAsync("group", partition, 7);
        using var producer = new ProducerBuilder<byte[], byte[]?>(
            new ProducerConfig { BootstrapServers = Options.BootstrapServers }).Build();
        foreach (var value in new[] { null, "no JSON"u8.ToArray(), "{}"u8.ToArray(), "null"u8.ToArray() })
        {
            await producer.ProduceAsync(Options.Prefix + GroupOffsets.Topic,
                new Message<byte[], byte[]?> { Key = "group telemetry 1"u8.ToArray(), Value = value });
        }

        await log.CommitAsync("group", partition, 8);
        var other = await OpenAsync("telemetry");
        Assert.That(await other.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(8, null)));
        Assert.That(await other.GroupsAsync(), Is.EqualTo(new[] { "group" }));
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

    private async Task<List<(long Lag, string? Group)>> LagsAsync(KafkaLog log)
    {
        var lags = new List<(long Lag, string? Group)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Name == "millrace.eventlog.lag") own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, lag, tags, _) => lags.Add((lag, tags[0].Value as string)));
        listener.Start();
        using var meter = new LagMeter(log, Microsoft.Extensions.Options.Options.Create(Options), TimeProvider.System,
            NullLogger<LagMeter>.Instance);
        await meter.MeasureAsync(default);
        listener.RecordObservableInstruments();
        return lags;
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
