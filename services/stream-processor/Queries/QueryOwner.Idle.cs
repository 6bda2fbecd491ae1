using Millrace.Contracts;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Sources with nothing new hold back those who wait for all, until the clock lets go.</summary>
internal sealed partial class QueryOwner
{
    private readonly Dictionary<TopicPartition, (long Offset, long SinceMs, long MarkedMs)> _idle = [];

    // The store may have them or not, and nothing of their sources is answered until it says that it has.
    private readonly List<TimeMark> _marks = [];
    private readonly PatientWrite _marking;

    private async Task MarkIdleAsync(CancellationToken ct)
    {
        if (_marks.Count > 0) return;
        var now = _services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var arrival = now - (long)_services.Options.IdleGrace.TotalMilliseconds;
        var isQuiet = _place.Activity is not null && !await _place.Activity.IsRecentAsync(ct);
        var due = _engine.Positions.Where(position => IsDue(position, now, arrival, isQuiet)).ToList();
        if (due.Count == 0) return;
        var ranges = await Task.WhenAll(due.Select(each => _services.Log.RangeAsync(each.Partition, ct).AsTask()));
        foreach (var ((source, offset), range) in due.Zip(ranges))
        {
            if (range.Next == offset) _marks.Add(new TimeMark(source, offset, arrival));
            else _idle[source] = _idle[source] with { SinceMs = now };
        }

        if (_marks.Count == 0) return;
        _marking.Begin(() => new ValueTask(AddMarksAsync(ct)));

        // As a rule it is done at once; what comes in does not wait for a store that is away.
        await Task.WhenAny(_marking.Ended, Task.Delay(_services.Options.TickInterval, _services.Time, ct));
        if (_marking.IsEnded) await SettleMarksAsync(ct);
    }

    /// <summary>
    /// Whether it is idle for long enough, as far as can be told without asking the log, and something goes on by it.
    /// </summary>
    private bool IsDue(PartitionOffset position, long now, long arrival, bool isQuiet)
    {
        var known = _idle.GetValueOrDefault(position.Partition, (Offset: -1, SinceMs: now, MarkedMs: long.MinValue));
        if (known.Offset != position.Offset)
        {
            _idle[position.Partition] = (position.Offset, now, known.MarkedMs);
            return false;
        }

        if (now - known.SinceMs < _services.Options.IdleAfter.TotalMilliseconds) return false;
        if (isQuiet && known.MarkedMs > arrival - InputActivity.QuietInterval.TotalMilliseconds) return false;
        return _engine.AwaitsMark(position.Partition, arrival);
    }

    private async Task AddMarksAsync(CancellationToken ct)
    {
        foreach (var mark in _marks)
        {
            if (!await _services.Checkpoints.AddMarkAsync(_place.Key, _epoch, mark, ct)) throw Stale();
        }
    }

    /// <summary>Marks that are being kept are durable when it returns, and count.</summary>
    private async Task SettleMarksAsync(CancellationToken ct)
    {
        await _marking.SettleAsync();
        foreach (var mark in _marks)
        {
            StreamProcessorMetrics.IdleMarks.Add(1, StreamProcessorMetrics.Query(_place.Config.Name));
            _idle[mark.Input] = _idle[mark.Input] with { MarkedMs = mark.ArrivalMs };
            _engine.Mark(mark.Input, mark.Offset, mark.ArrivalMs);
            await EmitAsync(RecordBatch.None(mark.Input, mark.Offset), ct);
        }

        _marks.Clear();
    }
}
