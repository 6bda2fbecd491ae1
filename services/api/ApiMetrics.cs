using System.Diagnostics.Metrics;

namespace Millrace.Api;

internal static class ApiMetrics
{
    private static readonly Meter Meter = new("Millrace.Api");

    /// <summary>Requests with a token that is unknown or expired.</summary>
    public static readonly Counter<long> TokensRefused = Meter.CreateCounter<long>("millrace.api.tokens.refused");

    /// <summary>Live tails that are open.</summary>
    public static readonly UpDownCounter<int> Tails = Meter.CreateUpDownCounter<int>("millrace.api.tails.open");
}
