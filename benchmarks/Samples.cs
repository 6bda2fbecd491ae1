namespace Millrace.Benchmarks;

/// <summary>Measurements of the same thing, repeated.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];

    public double Median => At(0.5);

    /// <summary>Half the distance between the quartiles, in parts of the median.</summary>
    public double Spread => _values.Count < 2 ? 0 : (At(0.75) - At(0.25)) / 2 / Median;

    public void Add(double value) => _values.Add(value);

    public double At(double quantile)
    {
        var sorted = _values.Order().ToArray();
        return sorted[(int)Math.Round(quantile * (sorted.Length - 1))];
    }
}
