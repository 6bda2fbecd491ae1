namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// All layouts that a hub has had, and one that is to come. A row's event time alone tells its partition, so a reader
/// finds it whenever it was written.
/// </summary>
internal sealed class TelemetryLayouts
{
    private readonly TelemetryLayout[] _layouts;

    /// <param name="layouts">At least one, in the order of their times.</param>
    public TelemetryLayouts(IEnumerable<TelemetryLayout> layouts)
    {
        _layouts = [.. layouts];
        if (_layouts.Length == 0) throw new ArgumentException("A hub has a layout from its beginning.");
    }

    public TelemetryLayout Last => _layouts[^1];

    public TelemetryPartition PartitionOf(string deviceId, long eventAtMs)
    {
        var layout = At(eventAtMs);
        return new TelemetryPartition(
            TelemetryLayout.ShardOf(deviceId, layout.Shards), layout.BucketOf(eventAtMs));
    }

    /// <summary>The partitions that may have rows of a device with from &lt;= event time &lt; to, in order.</summary>
    public IEnumerable<TelemetryPartition> PartitionsOf(string deviceId, long fromMs, long toMs, bool oldestFirst)
    {
        if (fromMs >= toMs) yield break;
        for (var at = oldestFirst ? fromMs : toMs - 1; at >= fromMs && at < toMs;)
        {
            var layout = At(at);
            var bucket = layout.BucketOf(at);
            yield return new TelemetryPartition(TelemetryLayout.ShardOf(deviceId, layout.Shards), bucket);
            at = oldestFirst ? EndOf(layout, bucket) : bucket - 1;
        }
    }

    private TelemetryLayout At(long eventAtMs)
    {
        for (var i = _layouts.Length - 1; i > 0; i--)
        {
            if (_layouts[i].FromMs <= eventAtMs) return _layouts[i];
        }

        return _layouts[0];
    }

    private long EndOf(TelemetryLayout layout, long bucket)
    {
        var next = Array.IndexOf(_layouts, layout) + 1;
        var end = bucket + layout.WidthMs;
        return next < _layouts.Length ? Math.Min(end, _layouts[next].FromMs) : end;
    }
}
