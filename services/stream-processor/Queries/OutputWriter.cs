using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// What one owner of a query's partition writes: gathers the rows that the engine makes of a batch, and appends them.
/// Rows that stand in the topics already, after the checkpoint that the owner began from, are not written again.
/// </summary>
internal sealed class OutputWriter : IQueryRowSink, IDisposable
{
    private readonly IEventLog _log;
    private readonly TimeProvider _time;
    private readonly TopicPartition[] _targets;
    private readonly long[] _next;
    private readonly HashSet<string>[] _known;
    private readonly RecordBatchBuilder[] _records;
    private readonly string _query;
    private readonly byte[] _owner;
    private readonly byte[] _epoch = new byte[20];
    private readonly int _epochLength;

    public OutputWriter(
        IEventLog log, TimeProvider time, string query, int version, long epoch, IEnumerable<TopicPartition> targets)
    {
        (_log, _time) = (log, time);
        _targets = [.. targets];
        _next = new long[_targets.Length];
        _known = [.. _targets.Select(_ => new HashSet<string>())];
        _records = [.. _targets.Select(_ => new RecordBatchBuilder())];
        _query = $"{query}/{version}";
        _owner = Encoding.UTF8.GetBytes(_query);
        Utf8Formatter.TryFormat(epoch, _epoch, out _epochLength);
    }

    public long RowsOut { get; private set; }

    public long Dropped { get; private set; }

    public List<QueryRowFailure> Failures { get; } = [];

    /// <summary>What a checkpoint keeps: after the last row of this owner in each target.</summary>
    public IReadOnlyList<PartitionOffset> Positions =>
        [.. _targets.Select((t, i) => new PartitionOffset(t, _next[i]))];

    public void Row(in QueryRow row)
    {
        if (_known[row.Output].Count > 0 && _known[row.Output].Remove(row.RowId))
        {
            StreamProcessorMetrics.RowsKnown.Add(1);
            return;
        }

        Span<byte> number = stackalloc byte[20];
        Span<byte> text = stackalloc byte[256];
        var records = _records[row.Output];
        records.Begin(_time.GetUtcNow().ToUnixTimeMilliseconds(), Utf8(row.DeviceId ?? "", text),
            row.DeviceId is not null);
        records.AddHeader(OutputHeaders.RowId, Utf8(row.RowId, text));
        records.AddHeader(OutputHeaders.Epoch, _epoch.AsSpan(0, _epochLength));
        records.AddHeader(OutputHeaders.Query, _owner);
        Utf8Formatter.TryFormat(row.TimestampMs, number, out var digits);
        records.AddHeader(OutputHeaders.RowTime, number[..digits]);
        records.End(row.Json);
        RowsOut++;
    }

    public void Failed(in QueryRowFailure failure) => Failures.Add(failure);

    void IQueryRowSink.Dropped(TopicPartition source, long offset) => Dropped++;

    /// <summary>
    /// Makes this owner's epoch known to readers of each target, then finds the rows of the query that count between
    /// the checkpoint's positions (or where the query began) and the fence.
    /// </summary>
    /// <param name="seenEpoch">What a reader at these positions has seen: rows below it do not count.</param>
    public async Task FenceAsync(
        IReadOnlyDictionary<TopicPartition, long> from, long seenEpoch, CancellationToken ct)
    {
        for (var i = 0; i < _targets.Length; i++)
        {
            _records[i].Begin(_time.GetUtcNow().ToUnixTimeMilliseconds(), default, hasKey: false);
            _records[i].AddHeader(OutputHeaders.Epoch, _epoch.AsSpan(0, _epochLength));
            _records[i].AddHeader(OutputHeaders.Query, _owner);
            _records[i].AddHeader(OutputHeaders.Fence, default);
            _records[i].End(default);
        }

        var fences = new long[_targets.Length];
        for (var i = 0; i < _targets.Length; i++)
        {
            (fences[i], _next[i]) = await _log.AppendAsync(_targets[i], _records[i], ct);
            _records[i].Clear();
        }

        for (var i = 0; i < _targets.Length; i++)
        {
            var first = (await _log.RangeAsync(_targets[i], ct)).First;
            var begin = Math.Max(from.GetValueOrDefault(_targets[i], first), first);
            if (begin < fences[i]) await ReadKnownAsync(i, begin, fences[i], seenEpoch, ct);
        }
    }

    /// <summary>Appends what was gathered; it is durable when the call returns.</summary>
    public async ValueTask FlushAsync(CancellationToken ct)
    {
        for (var i = 0; i < _targets.Length; i++)
        {
            if (_records[i].Count == 0) continue;
            (_, _next[i]) = await _log.AppendAsync(_targets[i], _records[i], ct);
            _records[i].Clear();
        }
    }

    /// <summary>How many rows stand already and were not made again yet.</summary>
    public int KnownRows => _known.Sum(rows => rows.Count);

    public void Dispose()
    {
        foreach (var records in _records) records.Dispose();
    }

    private async Task ReadKnownAsync(int target, long begin, long fence, long seenEpoch, CancellationToken ct)
    {
        await using var reader = _log.OpenReader(_targets[target], begin);
        var epochs = EpochFence.After(_query, seenEpoch);
        while (reader.Position < fence) Collect(_known[target], await reader.ReadAsync(ct: ct), epochs, fence);
    }

    private void Collect(HashSet<string> known, RecordBatch batch, EpochFence epochs, long fence)
    {
        foreach (var record in batch)
        {
            if (record.Offset >= fence || !record.TryGetHeader(OutputHeaders.Query, out var owner)) continue;
            if (!owner.SequenceEqual(_owner) || !epochs.Admits(record)) continue;
            if (record.TryGetHeader(OutputHeaders.RowId, out var id)) known.Add(Encoding.UTF8.GetString(id));
        }
    }

    private static ReadOnlySpan<byte> Utf8(string text, Span<byte> buffer) =>
        Encoding.UTF8.TryGetBytes(text, buffer, out var count) ? buffer[..count] : Encoding.UTF8.GetBytes(text);
}
