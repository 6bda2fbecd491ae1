using System.Diagnostics.Metrics;

namespace Millrace.Extensions;

/// <summary>What is counted of user functions.</summary>
internal sealed class ExtensionMetrics
{
    private readonly Counter<long> _lost;

    public ExtensionMetrics(IMeterFactory meters) =>
        _lost = meters.Create("Millrace.Extensions").CreateCounter<long>("millrace.query.function.lost");

    /// <summary>A call did not return in time, and was left behind.</summary>
    public void Lost(string function) => _lost.Add(1, new KeyValuePair<string, object?>("function", function));
}
