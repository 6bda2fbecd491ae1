using System.Globalization;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>Costs of the same thing, repeated.</summary>
internal sealed class CostSamples
{
    private readonly Samples _rate = new(), _client = new(), _server = new();

    public int Count { get; private set; }

    public CpuCost Median => new(_rate.Median, _client.Median, _server.Median);

    public void Add(CpuCost cost)
    {
        Count++;
        _rate.Add(cost.PerSecond);
        _client.Add(cost.ClientUs);
        _server.Add(cost.ServerUs);
    }

    public void Tell(Report report, string name) => report.Line(string.Create(CultureInfo.InvariantCulture,
        $"| {name} | {_rate.Median:n0} ±{_rate.Spread:p0} | {_client.Median:f3} ±{_client.Spread:p0} "
        + $"| {_server.Median:f3} |"));
}
