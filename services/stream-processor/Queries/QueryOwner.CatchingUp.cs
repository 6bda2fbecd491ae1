using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Rows that owners before wrote behind the checkpoint come first: they are made again, and not written again. One that
/// is not made again (it takes too long for its limit now, or another release answers otherwise) must not hold up
/// checkpoints for ever.
/// </summary>
internal sealed partial class QueryOwner
{
    /// <summary>
    /// Where the sources ended once no owner before could write what counts; null when nothing is to be made again.
    /// </summary>
    private Dictionary<TopicPartition, long>? _ends;

    /// <summary>
    /// Rows of an owner before were not made again yet: a decision at this position would come before theirs.
    /// </summary>
    public bool IsCatchingUp => _writer.IsCatchingUp(_engine.Positions);

    private static async Task<Dictionary<TopicPartition, long>> EndsAsync(
        IEventLog log, QueryPlace place, CancellationToken ct)
    {
        var sources = place.Sources.Select(source => source.Partition).Distinct().ToList();
        var ranges = await Task.WhenAll(sources.Select(source => log.RangeAsync(source, ct).AsTask()));
        return sources.Zip(ranges).ToDictionary(each => each.First, each => each.Second.Next);
    }

    /// <summary>All that the rows were made of is answered: what was not made again by now never will be.</summary>
    private void EndCatchingUp()
    {
        if (_ends is not { } ends || _engine.Positions.Any(position => position.Offset < ends[position.Partition]))
            return;
        _ends = null;
        var left = _writer.ForgetKnown();
        if (left == 0) return;
        StreamProcessorMetrics.RowsNotMadeAgain.Add(left, _query);
        _services.Logger.RowsNotMadeAgain(_place.Config.Name, _place.Partition, left);
    }
}
