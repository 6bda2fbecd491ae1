using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Figures of one running query over all its places, for its status.</summary>
internal sealed class QueryProgress(QueryConfig config, TimeProvider time)
{
    private readonly ConcurrentDictionary<int, (long Rows, long Dropped, long WatermarkMs)> _places = new();
    private readonly ConcurrentDictionary<TopicPartition, long> _positions = new();
    private readonly KeyValuePair<string, object?> _query = StreamProcessorMetrics.Query(config.Name);
    private long _recordsIn;
    private long _rowsFailed;
    private (long In, long Out, long At) _last = (0, 0, time.GetTimestamp());

    public void RecordsIn(int count)
    {
        Interlocked.Add(ref _recordsIn, count);
        StreamProcessorMetrics.RowsIn.Add(count, _query);
    }

    public void RowsFailed(int count) => Interlocked.Add(ref _rowsFailed, count);

    public void RowsOut(int place, long rows)
    {
        var before = _places.GetValueOrDefault(place);
        if (rows > before.Rows) StreamProcessorMetrics.RowsOut.Add(rows - before.Rows, _query);
        _places[place] = before with { Rows = rows };
    }

    public void Dropped(int place, long events)
    {
        var before = _places.GetValueOrDefault(place);
        if (events > before.Dropped) StreamProcessorMetrics.EventsDropped.Add(events - before.Dropped, _query);
        _places[place] = before with { Dropped = events };
    }

    /// <summary>Where each input is read on from.</summary>
    public IEnumerable<PartitionOffset> Positions => _positions.Select(p => new PartitionOffset(p.Key, p.Value));

    public void Position(TopicPartition input, long offset) => _positions[input] = offset;

    public void Watermark(int place, long watermarkMs) =>
        _places[place] = _places.GetValueOrDefault(place) with { WatermarkMs = watermarkMs };

    /// <summary>The status of now; rates are since the last call.</summary>
    public QueryStatus Status(QueryState state, string? error, long lag)
    {
        var (rowsIn, rowsOut) = (Interlocked.Read(ref _recordsIn), _places.Values.Sum(p => p.Rows));
        var seconds = Math.Max(time.GetElapsedTime(_last.At).TotalSeconds, 0.001);
        var (inRate, outRate) = ((rowsIn - _last.In) / seconds, Math.Max(0, rowsOut - _last.Out) / seconds);
        _last = (rowsIn, rowsOut, time.GetTimestamp());
        var watermark = _places.Values.Select(p => p.WatermarkMs).Where(w => w > 0).DefaultIfEmpty().Min();
        return new QueryStatus(config.Name, config.Version, state, error, rowsIn, rowsOut,
            Interlocked.Read(ref _rowsFailed), Math.Round(inRate, 1), Math.Round(outRate, 1), lag,
            watermark > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(watermark) : null, time.GetUtcNow());
    }
}
