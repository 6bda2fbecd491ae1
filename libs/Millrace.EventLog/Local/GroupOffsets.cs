using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Local;

/// <summary>A record of the journal of committed offsets.</summary>
/// <param name="NextOffset">Null when what the group had committed was forgotten.</param>
/// <param name="At">In a summary: the journal offset of the commit that it repeats.</param>
internal sealed record GroupCommit(
    string Group, string Topic, int Partition, long? NextOffset, string? Metadata, long? At = null);

/// <summary>
/// What the consumer groups have committed. The journal is a partition like any other, so it has the same group commit,
/// the same recovery and the same tests; when it has grown, a summary of it is appended and the rest is trimmed.
/// </summary>
internal sealed class GroupOffsets(Partition journal, LogRuntime runtime, long summariseAfterBytes)
{
    private readonly Lock _gate = new();
    private Dictionary<(string Group, TopicPartition Partition), Entry> _entries = [];
    private int _summarising;

    public void Load() => _entries = Replay(journal.Range().Next);

    public CommittedOffset? Find(string group, TopicPartition partition)
    {
        lock (_gate) return _entries.TryGetValue((group, partition), out var entry) ? entry.Committed : null;
    }

    public IReadOnlyList<string> Names()
    {
        lock (_gate)
        {
            return _entries.Where(pair => pair.Value.Committed is not null).Select(pair => pair.Key.Group)
                .Distinct().Order(StringComparer.Ordinal).ToList();
        }
    }

    public IReadOnlyList<GroupTopic> Topics()
    {
        lock (_gate)
        {
            return _entries.Where(pair => pair.Value.Committed is not null)
                .Select(pair => new GroupTopic(pair.Key.Group, pair.Key.Partition.Topic)).Distinct()
                .OrderBy(held => held.Group, StringComparer.Ordinal)
                .ThenBy(held => held.Topic, StringComparer.Ordinal).ToList();
        }
    }

    /// <summary>The groups that have committed on the partition, and their next offsets.</summary>
    public IReadOnlyList<GroupPosition> Of(TopicPartition partition)
    {
        lock (_gate)
        {
            return _entries
                .Where(pair => pair.Key.Partition == partition && pair.Value.Committed is not null)
                .Select(pair => new GroupPosition(pair.Key.Group, pair.Value.Committed!.NextOffset))
                .ToList();
        }
    }

    public ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata, CancellationToken ct) =>
        AppendAsync([new GroupCommit(group, partition.Topic, partition.Partition, nextOffset, metadata)], ct);

    /// <param name="topic">Null for all of them.</param>
    public ValueTask ForgetAsync(string group, string? topic, CancellationToken ct)
    {
        GroupCommit[] commits;
        lock (_gate)
        {
            commits = _entries.Where(pair => pair.Value.Committed is not null).Select(pair => pair.Key)
                .Where(key => key.Group == group && (topic is null || key.Partition.Topic == topic))
                .Select(key => new GroupCommit(group, key.Partition.Topic, key.Partition.Partition, null, null))
                .ToArray();
        }

        return commits.Length == 0 ? ValueTask.CompletedTask : AppendAsync(commits, ct);
    }

    private async ValueTask AppendAsync(IReadOnlyList<GroupCommit> commits, CancellationToken ct)
    {
        using var records = new RecordBatchBuilder(256);
        foreach (var commit in commits) Encode(records, commit);
        var (first, _) = await journal.AppendAsync(records, ct).ConfigureAwait(false);
        lock (_gate)
        {
            for (var i = 0; i < commits.Count; i++) Apply(_entries, commits[i], first + i);
        }

        if (journal.Sizes().Sum(size => size.Bytes) >= summariseAfterBytes)
            await SummariseAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Begins a new segment, repeats in it what stood before, and lets the rest go. Commits may come in between, before
    /// the summary as well: each entry carries the place of the commit that it repeats, and the later one wins.
    /// </summary>
    private async Task SummariseAsync()
    {
        if (Interlocked.Exchange(ref _summarising, 1) == 1) return;
        try
        {
            var fence = journal.RollNow();
            var entries = Replay(fence);
            using var summary = new RecordBatchBuilder();
            foreach (var ((group, partition), entry) in entries)
            {
                if (entry.Committed is not { } committed) continue;
                Encode(summary, new GroupCommit(
                    group, partition.Topic, partition.Partition, committed.NextOffset, committed.Metadata, entry.At));
            }

            if (summary.Count > 0)
                await journal.AppendAsync(summary, CancellationToken.None).ConfigureAwait(false);
            journal.Trim(fence);
        }
        catch (Exception e) when (e is IOException or Primitives.MillraceException)
        {
            runtime.Log.FileLeft(journal.Id.ToString(), e);
        }
        finally
        {
            Volatile.Write(ref _summarising, 0);
        }
    }

    private Dictionary<(string Group, TopicPartition Partition), Entry> Replay(long endOffset)
    {
        var entries = new Dictionary<(string, TopicPartition), Entry>();
        using var reader = new PartitionReader(journal, journal.Range().First, runtime);
        while (reader.Position < endOffset && reader.TryRead(64 * 1024) is { } batch)
        {
            foreach (var record in batch)
            {
                if (record.Offset >= endOffset) break;
                var commit = JsonSerializer.Deserialize(record.Value, LocalJson.Default.GroupCommit)!;
                Apply(entries, commit, record.Offset);
            }
        }

        return entries;
    }

    private static void Apply(
        Dictionary<(string Group, TopicPartition Partition), Entry> entries, GroupCommit commit, long journalOffset)
    {
        var key = (commit.Group, new TopicPartition(commit.Topic, commit.Partition));
        var at = commit.At ?? journalOffset;
        if (entries.TryGetValue(key, out var known) && known.At > at) return;
        var committed = commit.NextOffset is { } next ? new CommittedOffset(next, commit.Metadata) : null;
        entries[key] = new Entry(committed, at);
    }

    private void Encode(RecordBatchBuilder records, GroupCommit commit)
    {
        records.Begin(runtime.NowMs, default, hasKey: false);
        records.End(JsonSerializer.SerializeToUtf8Bytes(commit, LocalJson.Default.GroupCommit));
    }

    /// <param name="Committed">Null when it was forgotten.</param>
    /// <param name="At">The journal offset of the commit.</param>
    private readonly record struct Entry(CommittedOffset? Committed, long At);
}
