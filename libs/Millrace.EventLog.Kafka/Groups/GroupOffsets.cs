using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Catalog;
using Millrace.EventLog.Local;
using Millrace.EventLog.Retention;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// What groups have committed: a compacted topic of one partition, whose last record of a group and partition counts.
/// Kafka's own groups would lose the offsets of one that is quiet for a week, take commits with metadata from members
/// alone, and librdkafka 2.16 ends the process when it is asked for those of other groups while their broker goes away.
/// Its groups share the partitions (<see cref="GroupMember"/>), and are shown what was committed.
/// </summary>
internal sealed class GroupOffsets(
    KafkaLog log, TopicMaker maker, EventLogMetrics metrics, ILogger logger, TimeProvider time) : IAsyncDisposable
{
    public const string Topic = "millrace.groups";
    private const int ReadBytes = 1 << 20;

    private static readonly TopicPartition Journal = new(Topic, 0);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, GroupCommits> _commits = [];
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly Dictionary<(string Group, TopicPartition Partition), CommittedOffset> _committed = [];
    private IPartitionReader? _reader;

    /// <summary>
    /// Where the consumers of this process are: on what they were given of what is shared, and on all that they read
    /// of what each process reads for itself.
    /// </summary>
    public async ValueTask<IReadOnlyList<ConsumerPlace>> PlacesAsync(
        IReadOnlyList<(string Group, TopicPartition Partition)> held, CancellationToken ct)
    {
        var places = new List<ConsumerPlace>();
        lock (_gate)
        {
            foreach (var (group, commits) in _commits.Where(pair => !ConsumerGroups.IsShared(pair.Key)))
                places.AddRange(commits.Last.Select(pair => new ConsumerPlace(group, pair.Key, pair.Value.NextOffset)));
        }

        if (held.Count == 0) return places;
        using var turn = await CatchUpAsync(ct).ConfigureAwait(false);
        places.AddRange(ConsumerPlaces.Of(held, _committed));
        return places;
    }

    /// <summary>Durable when the task ends. Commits of a group that come meanwhile travel together.</summary>
    public Task CommitAsync(string group, TopicPartition partition, CommittedOffset offset, CancellationToken ct)
    {
        GroupCommits commits;
        lock (_gate)
        {
            if (!_commits.TryGetValue(group, out commits!))
                _commits.Add(group, commits = new GroupCommits(offsets => SendAsync(group, offsets)));
        }

        return commits.AddAsync(partition, offset).WaitAsync(ct);
    }

    public async ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct)
    {
        using var turn = await CatchUpAsync(ct).ConfigureAwait(false);
        return _committed.GetValueOrDefault((group, partition));
    }

    public async ValueTask<IReadOnlyList<string>> NamesAsync(CancellationToken ct)
    {
        using var turn = await CatchUpAsync(ct).ConfigureAwait(false);
        return [.. _committed.Keys.Select(key => key.Group).Distinct().Order(StringComparer.Ordinal)];
    }

    public async ValueTask<IReadOnlyList<GroupTopic>> TopicsAsync(CancellationToken ct)
    {
        using var turn = await CatchUpAsync(ct).ConfigureAwait(false);
        return [.. _committed.Keys.Select(key => new GroupTopic(key.Group, key.Partition.Topic)).Distinct()
            .OrderBy(held => held.Group, StringComparer.Ordinal).ThenBy(held => held.Topic, StringComparer.Ordinal)];
    }

    public async ValueTask<IReadOnlyList<GroupPosition>> OfAsync(TopicPartition partition, CancellationToken ct)
    {
        using var turn = await CatchUpAsync(ct).ConfigureAwait(false);
        return [.. _committed.Where(pair => pair.Key.Partition == partition)
            .Select(pair => new GroupPosition(pair.Key.Group, pair.Value.NextOffset))];
    }

    /// <param name="topic">Null for all of them.</param>
    public async ValueTask ForgetAsync(string group, string? topic, CancellationToken ct)
    {
        List<TopicPartition> all;
        using (await CatchUpAsync(ct).ConfigureAwait(false))
            all = [.. _committed.Keys.Where(key => key.Group == group).Select(key => key.Partition)];
        var gone = all.FindAll(partition => topic is null || partition.Topic == topic);
        if (gone.Count == all.Count)
        {
            lock (_gate) _commits.Remove(group);
        }

        if (gone.Count > 0)
            await AppendAsync(gone.Select(partition => Commit(group, partition, null))).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _reading.WaitAsync().ConfigureAwait(false);
        await ForgetReaderAsync().ConfigureAwait(false);
        _reading.Release();
    }

    private static GroupCommit Commit(string group, TopicPartition partition, CommittedOffset? committed) =>
        new(group, partition.Topic, partition.Partition, committed?.NextOffset, committed?.Metadata);

    private async Task SendAsync(
        string group, IReadOnlyCollection<KeyValuePair<TopicPartition, CommittedOffset>> offsets)
    {
        await AppendAsync(offsets.Select(pair => Commit(group, pair.Key, pair.Value))).ConfigureAwait(false);
        foreach (var (partition, committed) in offsets) log.Show(group, partition, committed.NextOffset);
    }

    private async Task AppendAsync(IEnumerable<GroupCommit> commits)
    {
        await EnsureAsync(CancellationToken.None).ConfigureAwait(false);
        using var records = new RecordBatchBuilder();
        foreach (var commit in commits)
        {
            var key = Encoding.UTF8.GetBytes($"{commit.Group} {commit.Topic} {commit.Partition}");
            records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), key);
            records.End(JsonSerializer.SerializeToUtf8Bytes(commit, LocalJson.Default.GroupCommit));
        }

        await log.AppendAsync(Journal, records).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads what was committed until now, by whomever. The state may be looked at until the turn is given back.
    /// </summary>
    private async ValueTask<Turn> CatchUpAsync(CancellationToken ct)
    {
        await _reading.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await EnsureAsync(ct).ConfigureAwait(false);
            _reader ??= log.OpenReader(Journal, 0);
            while (await _reader.TryReadAsync(ReadBytes, ct).ConfigureAwait(false) is { } batch) Apply(batch);
            return new Turn(_reading);
        }
        catch (Exception e)
        {
            try
            {
                // Whoever has the next turn must not meet the reader.
                if (e is MillraceException) await ForgetReaderAsync().ConfigureAwait(false);
            }
            finally
            {
                _reading.Release();
            }

            throw;
        }
    }

    private async ValueTask ForgetReaderAsync()
    {
        if (_reader is not null) await _reader.DisposeAsync().ConfigureAwait(false);
        _reader = null;
    }

    private ValueTask<TopicInfo> EnsureAsync(CancellationToken ct) => log.FindTopic(Topic) is { } topic
        ? new ValueTask<TopicInfo>(topic)
        : maker.EnsureAsync(new TopicSpec(Topic, 1), ct, isCompacted: true);

    private void Apply(RecordBatch batch)
    {
        foreach (var record in batch)
        {
            if (Read(record.Value) is not { Group: not null, Topic: not null } commit)
            {
                metrics.CommitsUnread.Add(1);
                logger.CommitUnread(Topic, record.Offset);
                continue;
            }

            var key = (commit.Group, new TopicPartition(commit.Topic, commit.Partition));
            if (commit.NextOffset is { } next) _committed[key] = new CommittedOffset(next, commit.Metadata);
            else _committed.Remove(key);
        }
    }

    /// <summary>Null for what another program has written there.</summary>
    private static GroupCommit? Read(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, LocalJson.Default.GroupCommit);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private readonly struct Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
