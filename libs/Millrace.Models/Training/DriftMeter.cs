namespace Millrace.Models.Training;

/// <summary>Compares later values of a feature with those that a model learned from, holding none of them.</summary>
/// <param name="training">What it learned from; null when that is not known.</param>
public sealed class DriftMeter(FeatureDistribution? training)
{
    private readonly IReadOnlyList<double> _edges = training?.Edges ?? [];
    private readonly long[] _counts = new long[(training?.Edges.Count ?? 0) + 1];
    private double _sum;

    public long Count { get; private set; }

    public double? Mean => Count == 0 ? null : _sum / Count;

    public double? StabilityIndex => Count == 0 ? null : training?.StabilityIndex(_counts);

    /// <summary>Counts them; what is not a number is passed over.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (float.IsNaN(value)) continue;
            Count++;
            _sum += value;
            _counts[FeatureDistribution.RangeOf(_edges, value)]++;
        }
    }
}
