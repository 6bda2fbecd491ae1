using System.Text;
using Millrace.Contracts;
using Millrace.EventLog.Local;

namespace Millrace.EventLog.Tests.Local;

/// <summary>
/// What was asked of a log and what it acknowledged; says whether a log that was opened again holds it.
/// </summary>
internal sealed class Ledger
{
    private readonly Dictionary<TopicPartition, SortedDictionary<long, string>> _acknowledged = [];
    private readonly Dictionary<TopicPartition, HashSet<string>> _submitted = [];
    private readonly Dictionary<TopicPartition, HashSet<string>> _refused = [];
    private readonly Dictionary<TopicPartition, long> _trimmed = [];
    private readonly Dictionary<(string, TopicPartition), (List<long?> Tried, int Acknowledged)> _commits = [];
    private readonly Lock _gate = new();
    private int _serial;

    /// <summary>Appends records whose values no other append has.</summary>
    public async Task AppendAsync(LocalLog log, TopicPartition partition, int count, int padding)
    {
        var values = Enumerable.Range(0, count).Select(_ => $"{_serial++}:{new string('x', padding)}").ToArray();
        using var builder = new RecordBatchBuilder(64);
        foreach (var value in values)
        {
            builder.Begin(_serial, "device"u8);
            builder.End(Encoding.UTF8.GetBytes(value));
        }

        lock (_gate) Of(_submitted, partition).UnionWith(values);
        try
        {
            var (first, _) = await log.AppendAsync(partition, builder);
            lock (_gate)
            {
                for (var i = 0; i < count; i++) Acknowledged(partition).Add(first + i, values[i]);
            }
        }
        catch
        {
            lock (_gate) Of(_refused, partition).UnionWith(values);
            throw;
        }
    }

    public async Task CommitAsync(LocalLog log, string group, TopicPartition partition, long offset)
    {
        var key = (group, partition);
        var (tried, acknowledged) = _commits.TryGetValue(key, out var known) ? known : ([null], 0);
        tried.Add(offset);
        _commits[key] = (tried, acknowledged);
        await log.CommitAsync(group, partition, offset);
        _commits[key] = (tried, tried.Count - 1);
    }

    public async Task TrimAsync(LocalLog log, TopicPartition partition, long before)
    {
        _trimmed[partition] = Math.Max(before, _trimmed.GetValueOrDefault(partition));
        await log.TrimAsync(partition, before);
    }

    /// <summary>
    /// Every acknowledged record that was not trimmed is there, once, in order; one that was not acknowledged is
    /// whole or absent. And the log says the same as the ledger about commits.
    /// </summary>
    /// <param name="refusedAreGone">What was refused must not be there either.</param>
    public async Task VerifyAsync(LocalLog log, string context, bool refusedAreGone = false)
    {
        foreach (var (partition, submitted) in _submitted)
        {
            if (log.FindTopic(partition.Topic) is null)
            {
                Assert.That(Acknowledged(partition), Is.Empty, $"{context}: {partition} is gone");
                continue;
            }

            var found = await ReadAsync(log, partition);
            var range = await log.RangeAsync(partition);
            Assert.That(range.First, Is.LessThanOrEqualTo(_trimmed.GetValueOrDefault(partition)), context);
            foreach (var (offset, value) in Acknowledged(partition).Where(pair => pair.Key >= range.First))
                Assert.That(found.GetValueOrDefault(offset), Is.EqualTo(value), $"{context}: {partition} at {offset}");
            Assert.That(found.Values, Is.Unique, context);
            Assert.That(found.Values, Is.SubsetOf(submitted), context);
            if (refusedAreGone) Assert.That(found.Values.Intersect(Of(_refused, partition)), Is.Empty, context);

            // What is there now stays, acknowledged or not.
            foreach (var (offset, value) in found) Acknowledged(partition)[offset] = value;
        }

        foreach (var ((group, partition), (tried, acknowledged)) in _commits.ToList())
        {
            if (log.FindTopic(partition.Topic) is null) continue;
            var committed = (await log.CommittedAsync(group, partition))?.NextOffset;
            Assert.That(tried.Skip(acknowledged), Does.Contain(committed), $"{context}: commits of {group}");
            _commits[(group, partition)] = ([committed], 0);
        }
    }

    private static async Task<Dictionary<long, string>> ReadAsync(LocalLog log, TopicPartition partition)
    {
        var range = await log.RangeAsync(partition);
        var found = new Dictionary<long, string>();
        await using var reader = log.OpenReader(partition, range.First);
        while (await reader.TryReadAsync(4096) is { } batch)
        {
            foreach (var record in batch) found.Add(record.Offset, Encoding.UTF8.GetString(record.Value));
        }

        Assert.That(found.Count, Is.EqualTo(range.Next - range.First));
        return found;
    }

    private SortedDictionary<long, string> Acknowledged(TopicPartition partition) => Of(_acknowledged, partition);

    private static T Of<T>(Dictionary<TopicPartition, T> map, TopicPartition partition) where T : new()
    {
        if (!map.TryGetValue(partition, out var value)) map[partition] = value = new T();
        return value;
    }
}
