using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Hosting.Options;
using OpenTelemetry.Metrics;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Millrace.Hosting.Observability;

/// <summary>Logs and metrics, the same for every role.</summary>
public static class ObservabilityRegistration
{
    private const string Line = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext} {Message:lj}{NewLine}{Exception}";

    /// <summary>
    /// Bounds of whatever is measured in seconds and says none itself, from a sync of a disk to a job over the archive.
    /// The ones that histograms have otherwise are meant for milliseconds.
    /// </summary>
    private static readonly double[] Seconds =
    [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ];

    /// <summary>Every meter of the platform and the .NET runtime's, for <see cref="MapMetrics"/>.</summary>
    public static IServiceCollection AddMillraceMetrics(this IServiceCollection services)
    {
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("Millrace.*", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel",
                "Microsoft.AspNetCore.Hosting")
            .AddView(instrument => instrument is Histogram<double> { Unit: "s", Advice: null }
                ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds }
                : null)
            .AddPrometheusExporter());
        return services;
    }

    /// <summary>/metrics in Prometheus' format.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPrometheusScrapingEndpoint("/metrics");

    /// <summary>
    /// Structured logs on standard error. Logging:Format "json" writes one JSON object a line; Logging:Level sets the
    /// least level of the platform's own messages.
    /// </summary>
    public static void AddMillraceLogging(this IHostApplicationBuilder builder)
    {
        var json = string.Equals(builder.Configuration["Logging:Format"], "json", StringComparison.OrdinalIgnoreCase);
        if (!Enum.TryParse<LogEventLevel>(builder.Configuration["Logging:Level"], ignoreCase: true, out var level))
            level = LogEventLevel.Information;
        builder.Services.AddValidatedOptions<LoggingOptions>("Logging");
        builder.Services.AddSerilog(log =>
        {
            // Whoever starts the host tells why it did not start, by a code and without a stack.
            log.Filter.ByExcluding(e => e.MessageTemplate.Text == "Hosting failed to start");

            // Who is not ready says so at /readyz to whoever asks, and what ails it logs for itself.
            log.MinimumLevel.Is(level).MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
                .MinimumLevel.Override("System", LogEventLevel.Warning)
                .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal).Enrich
                .FromLogContext();
            if (json) log.WriteTo.Console(new CompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose);
            else log.WriteTo.Console(outputTemplate: Line, standardErrorFromLevel: LogEventLevel.Verbose);
        });
    }
}
