using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Sources with nothing new hold back those who wait for all, until the clock lets go.</summary>
internal sealed partial class QueryOwner
{
    private readonly Dictionary<TopicPartition, (long Offset, long SinceMs, long MarkedMs)> _idle = [];

    private async Task MarkIdleAsync(CancellationToken ct)
    {
        var now = _services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var arrival = now - (long)_services.Options.IdleGrace.TotalMilliseconds;
        var isQuiet = _place.Activity is not null && !await _place.Activity.IsRecentAsync(ct);
        var due = _engine.Positions.Where(position => IsDue(position, now, arrival, isQuiet)).ToList();
        if (due.Count == 0) return;
        var ranges = await Task.WhenAll(due.Select(each => _services.Log.RangeAsync(each.Partition, ct).AsTask()));
        foreach (var ((source, offset), range) in due.Zip(ranges))
        {
            if (range.Next == offset) await MarkAsync(source, offset, arrival, ct);
            else _idle[source] = _idle[source] with { SinceMs = now };
        }
    }

    /// <summary>Whether it is idle for long enough, as far as can be told without asking the log.</summary>
    private bool IsDue(PartitionOffset position, long now, long arrival, bool isQuiet)
    {
        var known = _idle.GetValueOrDefault(position.Partition, (Offset: -1, SinceMs: now, MarkedMs: long.MinValue));
        if (known.Offset != position.Offset)
        {
            _idle[position.Partition] = (position.Offset, now, known.MarkedMs);
            return false;
        }

        if (now - known.SinceMs < _services.Options.IdleAfter.TotalMilliseconds || arrival <= known.MarkedMs)
            return false;
        return !isQuiet || known.MarkedMs <= arrival - InputActivity.QuietInterval.TotalMilliseconds;
    }

    private async Task MarkAsync(TopicPartition source, long offset, long arrival, CancellationToken ct)
    {
        var mark = new TimeMark(source, offset, arrival);
        if (!await _services.Checkpoints.AddMarkAsync(_place.Key, _epoch, mark, ct)) throw Stale();
        StreamProcessorMetrics.IdleMarks.Add(1, StreamProcessorMetrics.Query(_place.Config.Name));
        _idle[source] = _idle[source] with { MarkedMs = arrival };
        _engine.Mark(source, offset, arrival);
        await EmitAsync(RecordBatch.None(source, offset), ct);
    }
}
