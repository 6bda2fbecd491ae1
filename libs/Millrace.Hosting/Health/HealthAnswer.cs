using Microsoft.Extensions.Diagnostics.HealthChecks;
using Millrace.Primitives;

namespace Millrace.Hosting.Health;

/// <summary>What /readyz answers: the state, and for each thing that is missing, why.</summary>
public sealed record HealthAnswer(string Status, IReadOnlyDictionary<string, string> Missing)
{
    public static HealthAnswer Of(HealthReport report) => new(report.Status.ToString(), report.Entries
        .Where(entry => entry.Value.Status != HealthStatus.Healthy)
        .ToDictionary(entry => entry.Key, entry => Why(entry.Value)));

    public static HealthAnswer Without(IReadOnlyDictionary<string, string> missing) =>
        new(nameof(HealthStatus.Unhealthy), missing);

    private static string Why(HealthReportEntry entry) => entry.Exception switch
    {
        MillraceException e => e.Error.ToString(),
        OperationCanceledException => "It did not answer in time.",
        { } e => e.Message,
        null => entry.Description ?? entry.Status.ToString(),
    };
}
