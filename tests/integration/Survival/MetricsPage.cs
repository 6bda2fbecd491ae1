using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Integration.Tests.Survival;

/// <summary>What /metrics says.</summary>
internal sealed partial class MetricsPage
{
    private readonly List<(string Name, string Labels, double Value)> _lines = [];

    public static async Task<MetricsPage> ReadAsync(HttpClient api)
    {
        var page = new MetricsPage();
        foreach (var line in (await api.GetStringAsync("metrics")).Split('\n'))
        {
            if (Line().Match(line) is not { Success: true } m) continue;
            page._lines.Add((m.Groups[1].Value, m.Groups[2].Value,
                double.Parse(m.Groups[3].Value, CultureInfo.InvariantCulture)));
        }

        return page;
    }

    /// <summary>The sum of a counter over all that has these labels; 0 when nothing was counted yet.</summary>
    public long Sum(string counter, params (string Name, string Value)[] labels) =>
        (long)Total(counter.Replace('.', '_') + "_total", labels);

    /// <summary>The sum of what is shown under a name over all that has these labels; 0 when nothing is.</summary>
    public double Total(string name, params (string Name, string Value)[] labels) => _lines
        .Where(l => l.Name == name && labels.All(label => l.Labels.Contains($"{label.Name}=\"{label.Value}\"")))
        .Sum(l => l.Value);

    [GeneratedRegex(@"^([a-z_]+)\{(.*)\} ([0-9.eE+-]+)")]
    private static partial Regex Line();
}
