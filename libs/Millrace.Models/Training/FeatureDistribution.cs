namespace Millrace.Models.Training;

/// <summary>How the values of a feature are spread: what a later time is compared with.</summary>
/// <param name="Edges">
/// The values that part the training data into ranges of about the same share, rising; n edges make n + 1 ranges.
/// </param>
/// <param name="Shares">The share of the training data in each range.</param>
public sealed record FeatureDistribution(
    long Count, double Mean, double StandardDeviation, double Min, double Max, IReadOnlyList<double> Edges,
    IReadOnlyList<double> Shares)
{
    private const int RangesMax = 10;

    /// <summary>A range that nobody is in counts as this share, so that its logarithm stays finite.</summary>
    private const double ShareMin = 0.0001;

    public static FeatureDistribution Of(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty) return new FeatureDistribution(0, 0, 0, 0, 0, [], [0]);
        var sorted = values.ToArray();
        Array.Sort(sorted);
        var edges = new List<double>();
        for (var i = 1; i < RangesMax; i++)
        {
            double edge = sorted[(int)((long)sorted.Length * i / RangesMax)];
            if (edge > sorted[0] && (edges.Count == 0 || edge > edges[^1])) edges.Add(edge);
        }

        var mean = sorted.Average(value => (double)value);
        var variance = sorted.Sum(value => (value - mean) * (value - mean)) / sorted.Length;
        var counts = new long[edges.Count + 1];
        foreach (var value in values) counts[RangeOf(edges, value)]++;
        return new FeatureDistribution(sorted.Length, mean, Math.Sqrt(variance), sorted[0], sorted[^1], edges,
            SharesOf(counts));
    }

    /// <summary>
    /// The population stability index of other values against these: below 0.1 they are alike, above 0.25 they are not.
    /// </summary>
    /// <param name="counts">How many of the other values are in each range.</param>
    public double StabilityIndex(ReadOnlySpan<long> counts)
    {
        var index = 0.0;
        var shares = SharesOf(counts);
        for (var i = 0; i < shares.Length; i++)
        {
            var (now, then) = (Math.Max(shares[i], ShareMin), Math.Max(Shares[i], ShareMin));
            index += (now - then) * Math.Log(now / then);
        }

        return index;
    }

    /// <summary>A value belongs to the range above the edges that it reaches.</summary>
    internal static int RangeOf(IReadOnlyList<double> edges, float value)
    {
        var range = 0;
        while (range < edges.Count && value >= edges[range]) range++;
        return range;
    }

    private static double[] SharesOf(ReadOnlySpan<long> counts)
    {
        var all = 0L;
        foreach (var count in counts) all += count;
        var shares = new double[counts.Length];
        for (var i = 0; i < shares.Length; i++) shares[i] = all == 0 ? 0 : (double)counts[i] / all;
        return shares;
    }
}
