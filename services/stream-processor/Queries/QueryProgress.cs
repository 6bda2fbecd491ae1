using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Figures of one running query over all its places, for its status.</summary>
internal sealed class QueryProgress(QueryConfig config, TimeProvider time)
{
    /// <summary>The number of no place.</summary>
    private const int Nowhere = int.MinValue;

    private readonly ConcurrentDictionary<int, long> _watermarksMs = new();
    private readonly ConcurrentDictionary<TopicPartition, long> _positions = new();
    private readonly ConcurrentDictionary<int, long> _unsavedSince = new();
    private readonly ConcurrentDictionary<int, string> _obstacles = new();
    private readonly KeyValuePair<string, object?> _query = StreamProcessorMetrics.Query(config.Name);
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private long _recordsIn;
    private long _rowsOut;
    private long _rowsFailed;
    private (long In, long Out, long At) _last = (0, 0, time.GetTimestamp());

    /// <summary>Why some place, or all of the query, cannot go on, and when it was so last; it tries again.</summary>
    public string? Obstacle => _obstacles.Values.FirstOrDefault();

    /// <summary>The place failed, and tries again from where it stands.</summary>
    public void Stumbled(QueryPlace place, string why) => Stumbled(place.Partition, why);

    /// <summary>The query failed before it had any place, and tries again.</summary>
    public void StumbledAtStart(string why) => Stumbled(Nowhere, why);

    /// <summary>Its places are known.</summary>
    public void Began() => _obstacles.TryRemove(Nowhere, out _);

    private void Stumbled(int place, string why) => _obstacles[place] = $"{why} ({time.GetUtcNow():u})";

    /// <summary>The place did something that stays.</summary>
    public void WentOn(QueryPlace place)
    {
        if (!_obstacles.IsEmpty) _obstacles.TryRemove(place.Partition, out _);
    }

    public void RecordsIn(int count)
    {
        Interlocked.Add(ref _recordsIn, count);
        StreamProcessorMetrics.RecordsIn.Add(count, _query);
    }

    /// <summary>What became of rows since the last call, when it is durable.</summary>
    public void Answered(QueryFigures more)
    {
        Interlocked.Add(ref _rowsOut, more.RowsOut);
        StreamProcessorMetrics.RowsIn.Add(more.RowsIn, _query);
        StreamProcessorMetrics.RowsTaken.Add(more.RowsTaken, _query);
        StreamProcessorMetrics.RowsOut.Add(more.RowsOut, _query);
        StreamProcessorMetrics.EventsDropped.Add(more.Dropped, _query);
    }

    public void Failed(QueryRowFailure failure)
    {
        if (!failure.CountsElsewhere) Interlocked.Increment(ref _rowsFailed);
        StreamProcessorMetrics.RowsFailed.Add(1, _query, new("reason", failure.Code), new("step",
            failure.CountsElsewhere ? "again" : failure.IsTaken ? "answer" : "read"));
    }

    /// <summary>Where each input is read on from.</summary>
    public IEnumerable<PartitionOffset> Positions => _positions.Select(p => new PartitionOffset(p.Key, p.Value));

    public void Position(TopicPartition input, long offset) => _positions[input] = offset;

    /// <summary>Another process may answer there from now on.</summary>
    public void Left(QueryPlace place)
    {
        foreach (var source in place.Sources) _positions.TryRemove(source.Partition, out _);
        _watermarksMs.TryRemove(place.Partition, out _);
        _unsavedSince.TryRemove(place.Partition, out _);
        _obstacles.TryRemove(place.Partition, out _);
    }

    /// <summary>For how long some place has answered what no checkpoint has: it would be read again there.</summary>
    public TimeSpan UnsavedFor => _unsavedSince.Values.Select(since => time.GetElapsedTime(since))
        .DefaultIfEmpty().Max();

    /// <summary>A place has something that its last checkpoint has not.</summary>
    public void Unsaved(int place) => _unsavedSince.TryAdd(place, time.GetTimestamp());

    /// <param name="isAll">Nothing came since the checkpoint was taken.</param>
    public void Saved(int place, long takenAt, bool isAll)
    {
        if (isAll) _unsavedSince.TryRemove(place, out _);
        else _unsavedSince[place] = takenAt;
    }

    public void Watermark(int place, long watermarkMs) => _watermarksMs[place] = watermarkMs;

    /// <summary>The status of now; rates are since the last call.</summary>
    public QueryStatus Status(QueryState state, string? error, long lag)
    {
        var (rowsIn, rowsOut) = (Interlocked.Read(ref _recordsIn), Interlocked.Read(ref _rowsOut));
        var seconds = Math.Max(time.GetElapsedTime(_last.At).TotalSeconds, 0.001);
        var (inRate, outRate) = ((rowsIn - _last.In) / seconds, Math.Max(0, rowsOut - _last.Out) / seconds);
        _last = (rowsIn, rowsOut, time.GetTimestamp());
        var watermark = _watermarksMs.Values.Where(w => w > 0).DefaultIfEmpty().Min();
        return new QueryStatus(config.Name, config.Version, state, error, rowsIn, rowsOut,
            Interlocked.Read(ref _rowsFailed), Math.Round(inRate, 1), Math.Round(outRate, 1), lag,
            watermark > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(watermark) : null, time.GetUtcNow())
        {
            CountedSince = _startedAt,
        };
    }
}

/// <summary>Rows of one owner since it began: that came, went on into the query, came out, and were dropped.</summary>
internal readonly record struct QueryFigures(long RowsIn, long RowsTaken, long RowsOut, long Dropped)
{
    public static QueryFigures operator -(QueryFigures a, QueryFigures b) =>
        new(a.RowsIn - b.RowsIn, a.RowsTaken - b.RowsTaken, a.RowsOut - b.RowsOut, a.Dropped - b.Dropped);
}
