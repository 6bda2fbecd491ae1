using System.Globalization;

namespace Millrace.Integration.Tests.Learning;

/// <summary>How warnings and stops met. A warning is the first alert about a machine since it stopped last.</summary>
/// <param name="Chance">The share of all moments that a machine stops within the time of a true warning.</param>
internal sealed record Outcome(
    int Warnings, int ThatCameTrue, int Stops, IReadOnlyList<TimeSpan> Leads, double Chance)
{
    public double Precision => (double)ThatCameTrue / Warnings;

    public double Recall => (double)Leads.Count / Stops;

    public TimeSpan MedianLead => Leads.Order().ElementAt(Leads.Count / 2);

    /// <param name="trueWithin">What is warned about so late that the end comes first is left out.</param>
    public static Outcome Of(
        IReadOnlyList<MachineStop> stops, IReadOnlyList<Foreseen> alerts, DateTimeOffset from, DateTimeOffset to,
        TimeSpan trueWithin)
    {
        var (warnings, cameTrue, leads) = (0, 0, new List<TimeSpan>());
        foreach (var device in stops.Select(stop => stop.Device).Union(alerts.Select(alert => alert.Device)))
        {
            var ends = stops.Where(stop => stop.Device == device).Select(stop => stop.At).Order().ToList();
            var begin = from;
            foreach (var end in ends.Append(to + trueWithin))
            {
                var first = alerts.Where(alert => alert.Device == device && alert.At > begin && alert.At < end)
                    .Select(alert => (DateTimeOffset?)alert.At).Min();
                if (end < to && first is not null) leads.Add(end - first.Value);
                if (first is not null && first + trueWithin < to)
                {
                    warnings++;
                    if (end - first <= trueWithin) cameTrue++;
                }

                begin = end.AddSeconds(2);
            }
        }

        return new Outcome(warnings, cameTrue, stops.Count, leads, ChanceOf(stops, from, to - trueWithin, trueWithin));
    }

    private static double ChanceOf(
        IReadOnlyList<MachineStop> stops, DateTimeOffset from, DateTimeOffset to, TimeSpan within)
    {
        var devices = stops.GroupBy(stop => stop.Device, stop => stop.At).ToList();
        var moments = Enumerable.Range(0, (int)(to - from).TotalSeconds).Select(second => from.AddSeconds(second));
        return moments.Average(moment => devices.Average(ends =>
            ends.Any(end => end > moment && end <= moment + within) ? 1.0 : 0.0));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Stops} stops, {Leads.Count} foreseen (recall {Recall:F3}), {Warnings} warnings, {ThatCameTrue} came true " +
        $"(precision {Precision:F3}, by chance {Chance:F3}); lead: median {MedianLead.TotalSeconds:F1} s, " +
        $"least {Leads.Min().TotalSeconds:F1} s, most {Leads.Max().TotalSeconds:F1} s");
}
