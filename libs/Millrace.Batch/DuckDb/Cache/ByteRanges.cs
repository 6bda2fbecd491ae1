namespace Millrace.Batch.DuckDb.Cache;

/// <summary>Bytes from <paramref name="From"/> up to <paramref name="To"/>, which is not among them.</summary>
internal readonly record struct ByteRange(long From, long To)
{
    public long Bytes => To - From;
}

/// <summary>Which bytes of a file are there.</summary>
internal sealed class ByteRanges
{
    private readonly List<ByteRange> _ranges = [];

    public long Bytes => _ranges.Sum(range => range.Bytes);

    /// <summary>Takes ranges together that touch, or lie no further apart than the gap.</summary>
    public static List<ByteRange> Merged(IEnumerable<ByteRange> ranges, long gapMax)
    {
        var merged = new List<ByteRange>();
        foreach (var range in ranges.Where(range => range.Bytes > 0).OrderBy(range => range.From))
        {
            if (merged.Count > 0 && range.From - merged[^1].To <= gapMax)
                merged[^1] = merged[^1] with { To = Math.Max(merged[^1].To, range.To) };
            else merged.Add(range);
        }

        return merged;
    }

    public void Add(ByteRange range)
    {
        var all = Merged([.. _ranges, range], gapMax: 0);
        _ranges.Clear();
        _ranges.AddRange(all);
    }

    /// <summary>What of the range is not there.</summary>
    public IEnumerable<ByteRange> Missing(ByteRange wanted)
    {
        var at = wanted.From;
        foreach (var range in _ranges.Where(range => range.To > wanted.From && range.From < wanted.To))
        {
            if (range.From > at) yield return new ByteRange(at, range.From);
            at = Math.Max(at, range.To);
        }

        if (at < wanted.To) yield return new ByteRange(at, wanted.To);
    }
}
