using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>What every event log does, whatever keeps the records.</summary>
public abstract class EventLogContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private IEventLog _log = null!;
    private TopicPartition _partition;

    /// <summary>A log to which only this test writes.</summary>
    protected abstract ValueTask<IEventLog> OpenAsync();

    [SetUp]
    public async Task Open()
    {
        _log = await OpenAsync();
        await _log.EnsureTopicAsync(new TopicSpec("telemetry", 4));
        _partition = new TopicPartition("telemetry", 2);
    }

    /// <summary>The log is closed; what it kept may go.</summary>
    protected abstract void Clean();

    [TearDown]
    public async Task Close()
    {
        if (_log is null) return;
        await _log.DisposeAsync();
        Clean();
    }

    [Test]
    public async Task Offsets_count_up_from_zero_within_a_partition()
    {
        Assert.That(await AppendAsync("a", "b"), Is.Zero);
        Assert.That(await AppendAsync("c"), Is.EqualTo(2));
        Assert.That(await _log.RangeAsync(_partition), Is.EqualTo(new OffsetRange(0, 3)));
        Assert.That(await _log.RangeAsync(_partition with { Partition = 1 }), Is.EqualTo(new OffsetRange(0, 0)));
    }

    [Test]
    public async Task An_owner_that_is_told_may_append_the_next_at_once()
    {
        var chains = Enumerable.Range(0, 4).Select(p => new AppendChain(_log, _partition with { Partition = p }, 100));
        var offsets = await Task.WhenAll(chains.Select(chain => chain.RunAsync()));
        Assert.That(offsets, Is.All.EqualTo(Enumerable.Range(0, 100).Select(i => new OffsetRange(i, i + 1))));
    }

    [Test]
    public async Task A_record_comes_back_as_it_was_given()
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(1_234, "key"u8);
        builder.AddHeader("name"u8, "value"u8);
        builder.AddHeader("empty"u8, ""u8);
        builder.End("body"u8);
        builder.Begin(-1, default, hasKey: false);
        builder.End(default);
        await _log.AppendAsync(_partition, builder);

        await using var reader = _log.OpenReader(_partition, 0);
        var records = (await ReadAsync(reader, 2)).ToArray();
        Assert.That(records[0], Is.EqualTo(new Seen(0, 1_234, "key", "body", "name=value;empty=;")));
        Assert.That(records[1], Is.EqualTo(new Seen(1, -1, null, "", "")));
    }

    [Test]
    public async Task Appends_at_the_same_time_each_get_their_own_place()
    {
        var offsets = await Task.WhenAll(Enumerable.Range(0, 500).Select(i =>
            Task.Run(() => AppendAsync($"{i}", "x"))));

        Assert.That(offsets.Order(), Is.EqualTo(Enumerable.Range(0, 500).Select(i => i * 2L)));
        await using var reader = _log.OpenReader(_partition, 0);
        var records = await ReadAsync(reader, 1_000);
        for (var i = 0; i < offsets.Length; i++)
            Assert.That(records[(int)offsets[i]].Value, Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task A_reader_begins_where_it_is_told()
    {
        for (var i = 0; i < 20; i++) await AppendAsync($"{i * 2}", $"{i * 2 + 1}");

        for (var offset = 0; offset < 40; offset++)
        {
            await using var reader = _log.OpenReader(_partition, offset);
            var records = await ReadAsync(reader, 40 - offset);
            var expected = Enumerable.Range(offset, 40 - offset).Select(i => $"{i}");
            Assert.That(records.Select(record => record.Value), Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task A_reader_can_seek_both_ways()
    {
        await AppendAsync("a", "b", "c");
        await using var reader = _log.OpenReader(_partition, 0);
        await ReadAsync(reader, 3);
        reader.Seek(1);
        Assert.That(reader.Position, Is.EqualTo(1));
        Assert.That((await ReadAsync(reader, 2))[0].Value, Is.EqualTo("b"));
        reader.Seek(2);
        Assert.That((await ReadAsync(reader, 1))[0].Value, Is.EqualTo("c"));
    }

    [Test]
    public async Task At_the_end_a_try_gives_nothing_and_a_read_waits_for_the_next_record()
    {
        await using var reader = _log.OpenReader(_partition, 0);
        Assert.That(await reader.TryReadAsync(), Is.Null);
        var waiting = reader.ReadAsync().AsTask();
        Assert.That(waiting.IsCompleted, Is.False);

        await AppendAsync("a");
        var batch = await waiting.WaitAsync(Patience);
        Assert.That((batch.FirstOffset, batch.Count), Is.EqualTo((0L, 1)));

        waiting = reader.ReadAsync().AsTask();
        await AppendAsync("b");
        Assert.That((await waiting.WaitAsync(Patience)).FirstOffset, Is.EqualTo(1));
    }

    [Test]
    public async Task A_waiting_read_ends_when_it_is_cancelled_and_the_reader_goes_on()
    {
        await using var reader = _log.OpenReader(_partition, 0);
        using var cancel = new CancellationTokenSource();
        var waiting = reader.ReadAsync(ct: cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.That(async () => await waiting.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());

        await AppendAsync("a");
        Assert.That((await ReadAsync(reader, 1))[0].Value, Is.EqualTo("a"));
    }

    [Test]
    public async Task A_read_keeps_to_its_size_but_gives_at_least_one_record()
    {
        var large = new string('x', 10_000);
        for (var i = 0; i < 3; i++) await AppendAsync("small", large, "small");

        await using var reader = _log.OpenReader(_partition, 0);
        var seen = new List<Seen>();
        while (await reader.TryReadAsync(bytesMax: 5_000) is { } batch)
        {
            Assert.That(batch.Count, Is.Positive);
            Assert.That(batch.Bytes.Length <= 5_000 || batch.Count == 1, Is.True, $"{batch.Bytes.Length} bytes");
            Collect(batch, seen);
        }

        Assert.That(seen.Select(record => record.Value.Length), Is.EqualTo(Repeat([5, 10_000, 5], 3)));
    }

    [Test]
    public async Task A_batch_that_was_read_never_changes()
    {
        await AppendAsync("first");
        await using var reader = _log.OpenReader(_partition, 0);
        var batch = await reader.ReadAsync();
        var before = batch.Bytes.ToArray();
        for (var i = 0; i < 50; i++) await AppendAsync($"later {i}");
        await ReadAsync(reader, 50);
        Assert.That(batch.Bytes.ToArray(), Is.EqualTo(before));
    }

    [Test]
    public async Task A_builder_can_be_used_again_when_its_append_is_durable()
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < 10; i++)
        {
            builder.Clear();
            Add(builder, $"{i}");
            await _log.AppendAsync(_partition, builder);
        }

        await using var reader = _log.OpenReader(_partition, 0);
        Assert.That((await ReadAsync(reader, 10)).Select(record => record.Value),
            Is.EqualTo(Enumerable.Range(0, 10).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_commit_is_found_by_group_and_partition()
    {
        Assert.That(await _log.CommittedAsync("group", _partition), Is.Null);
        await _log.CommitAsync("group", _partition, 7, "epochs");
        await _log.CommitAsync("group", _partition with { Partition = 0 }, 3);
        await _log.CommitAsync("other", _partition, 5);
        await _log.CommitAsync("group", _partition, 6);

        Assert.That(await _log.CommittedAsync("group", _partition), Is.EqualTo(new CommittedOffset(6, null)));
        Assert.That(await _log.CommittedAsync("other", _partition), Is.EqualTo(new CommittedOffset(5, null)));
        Assert.That(await _log.GroupsAsync(), Is.EqualTo(new[] { "group", "other" }));
        await _log.ForgetGroupAsync("group");
        Assert.That(await _log.GroupsAsync(), Is.EqualTo(new[] { "other" }));
        Assert.That(await _log.CommittedAsync("group", _partition), Is.Null);
        Assert.That(await _log.CommittedAsync("other", _partition), Is.Not.Null);
    }

    [Test]
    public async Task What_a_group_committed_on_one_topic_is_forgotten_alone_and_may_be_committed_again()
    {
        await _log.EnsureTopicAsync(new TopicSpec("second", 2));
        var second = new TopicPartition("second", 1);
        await _log.CommitAsync("group", _partition, 7);
        await _log.CommitAsync("group", second, 4);
        await _log.CommitAsync("group", second with { Partition = 0 }, 3);
        await _log.CommitAsync("other", second, 5);
        Assert.That(await _log.GroupTopicsAsync(), Is.EqualTo(new GroupTopic[]
        {
            new("group", "second"), new("group", _partition.Topic), new("other", "second"),
        }));

        await _log.ForgetTopicAsync("group", "second");
        await _log.ForgetTopicAsync("group", "second");
        await _log.ForgetTopicAsync("nobody", "second");
        Assert.That(await _log.GroupTopicsAsync(), Is.EqualTo(new GroupTopic[]
        {
            new("group", _partition.Topic), new("other", "second"),
        }));
        Assert.That(await _log.CommittedAsync("group", second), Is.Null);
        Assert.That((await _log.CommittedAsync("group", _partition))?.NextOffset, Is.EqualTo(7));
        Assert.That((await _log.CommittedAsync("other", second))?.NextOffset, Is.EqualTo(5));

        await _log.CommitAsync("group", second, 1);
        Assert.That((await _log.CommittedAsync("group", second))?.NextOffset, Is.EqualTo(1));
    }

    [Test]
    public async Task The_offset_of_a_time_is_that_of_the_first_record_at_or_after_it()
    {
        foreach (var time in new long[] { 100, 300, 200, 400, 400 }) await AppendAtAsync(time);

        Assert.That(await _log.OffsetAtAsync(_partition, 0), Is.Zero);
        Assert.That(await _log.OffsetAtAsync(_partition, 100), Is.Zero);
        Assert.That(await _log.OffsetAtAsync(_partition, 101), Is.EqualTo(1));
        Assert.That(await _log.OffsetAtAsync(_partition, 301), Is.EqualTo(3));
        Assert.That(await _log.OffsetAtAsync(_partition, 401), Is.EqualTo(5));
    }

    [Test]
    public async Task A_trimmed_position_is_an_error_and_what_is_kept_is_readable()
    {
        for (var i = 0; i < 10; i++) await AppendAsync($"{i}");
        await using var reader = _log.OpenReader(_partition, 0);

        var first = await _log.TrimAsync(_partition, 10);

        Assert.That(first, Is.EqualTo(10));
        Assert.That(await _log.RangeAsync(_partition), Is.EqualTo(new OffsetRange(10, 10)));
        Assert.That(async () => await reader.ReadAsync(), Throws.TypeOf<MillraceException>()
            .With.Property("Error").Property("Code").EqualTo("LOG-0004"));
        reader.Seek(first);
        Assert.That(await AppendAsync("later"), Is.EqualTo(10));
        Assert.That((await ReadAsync(reader, 1))[0].Value, Is.EqualTo("later"));
    }

    [Test]
    public async Task Trimming_never_takes_a_record_at_or_after_the_offset()
    {
        for (var i = 0; i < 10; i++) await AppendAsync($"{i}");
        var first = await _log.TrimAsync(_partition, 4);
        Assert.That(first, Is.LessThanOrEqualTo(4));
        Assert.That(await _log.RangeAsync(_partition), Is.EqualTo(new OffsetRange(first, 10)));
    }

    [Test]
    public async Task A_topic_keeps_its_number_of_partitions()
    {
        Assert.That(await _log.EnsureTopicAsync(new TopicSpec("telemetry", 4)),
            Is.EqualTo(new TopicInfo("telemetry", 4)));
        Assert.That(async () => await _log.EnsureTopicAsync(new TopicSpec("telemetry", 8)), FailsWith("LOG-0003"));
    }

    [Test]
    public async Task Topics_are_listed_in_order_and_found_by_name()
    {
        await _log.EnsureTopicAsync(new TopicSpec("out.x", 4));
        await _log.EnsureTopicAsync(new TopicSpec("repartition.q", 2));
        Assert.That(_log.Topics, Is.EqualTo(new[] { "out.x", "repartition.q", "telemetry" }));
        Assert.That(_log.FindTopic("repartition.q"), Is.EqualTo(new TopicInfo("repartition.q", 2)));
        Assert.That(_log.FindTopic("nothing"), Is.Null);
    }

    [Test]
    public void An_unknown_topic_or_partition_is_an_error()
    {
        using var builder = new RecordBatchBuilder();
        Add(builder, "a");
        Assert.That(async () => await _log.AppendAsync(new("nothing", 0), builder), FailsWith("LOG-0006"));
        Assert.That(async () => await _log.RangeAsync(_partition with { Partition = 4 }), FailsWith("LOG-0006"));
        Assert.That(() => _log.OpenReader(_partition with { Partition = -1 }, 0), FailsWith("LOG-0006"));
        Assert.That(() => _log.OpenReader(_partition, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public async Task A_position_beyond_the_end_is_an_error()
    {
        await AppendAsync("a");
        await using var reader = _log.OpenReader(_partition, 2);
        Assert.That(async () => await reader.TryReadAsync(), FailsWith("LOG-0010"));
    }

    [Test]
    public async Task The_only_process_is_assigned_every_partition_once()
    {
        using var cancel = new CancellationTokenSource();
        await using var changes = _log.WatchAssignmentAsync("group", "telemetry", cancel.Token).GetAsyncEnumerator();
        Assert.That(await changes.MoveNextAsync(), Is.True);
        Assert.That(changes.Current.Kind, Is.EqualTo(AssignmentKind.Assigned));
        Assert.That(changes.Current.Partitions.Select(one => one.Partition), Is.EquivalentTo(new[] { 0, 1, 2, 3 }));

        var next = changes.MoveNextAsync().AsTask();
        Assert.That(next.IsCompleted, Is.False);
        await cancel.CancelAsync();
        Assert.That(LeaveAsync, Throws.InstanceOf<OperationCanceledException>());

        // Where others wait for the partitions, they are handed over first.
        async Task LeaveAsync()
        {
            while (await next.WaitAsync(Patience))
            {
                Assert.That(changes.Current.Kind, Is.EqualTo(AssignmentKind.Revoked));
                changes.Current.Complete();
                next = changes.MoveNextAsync().AsTask();
            }
        }
    }

    private static NUnit.Framework.Constraints.IResolveConstraint FailsWith(string code) =>
        Throws.TypeOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);

    private async Task<long> AppendAsync(params string[] values)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var value in values) Add(builder, value);
        var written = await _log.AppendAsync(_partition, builder);
        Assert.That(written.Next - written.First, Is.EqualTo(values.Length));
        return written.First;
    }

    private async Task AppendAtAsync(long timestampMs)
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(timestampMs, "k"u8);
        builder.End("v"u8);
        await _log.AppendAsync(_partition, builder);
    }

    private static void Add(RecordBatchBuilder builder, string value)
    {
        builder.Begin(1_000, "device"u8);
        builder.End(Encoding.UTF8.GetBytes(value));
    }

    private static async Task<List<Seen>> ReadAsync(IPartitionReader reader, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        var seen = new List<Seen>();
        while (seen.Count < count) Collect(await reader.ReadAsync(ct: patience.Token), seen);
        return seen;
    }

    private static void Collect(RecordBatch batch, List<Seen> seen)
    {
        foreach (var record in batch) seen.Add(Seen.Of(record));
    }

    private static IEnumerable<int> Repeat(int[] items, int times) =>
        Enumerable.Range(0, times).SelectMany(_ => items);

    private sealed record Seen(long Offset, long TimestampMs, string? Key, string Value, string Headers)
    {
        public static Seen Of(RecordView record)
        {
            var headers = new StringBuilder();
            foreach (var header in record.Headers)
                headers.Append($"{Encoding.UTF8.GetString(header.Name)}={Encoding.UTF8.GetString(header.Value)};");
            return new Seen(record.Offset, record.TimestampMs,
                record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
                Encoding.UTF8.GetString(record.Value), headers.ToString());
        }
    }
}
