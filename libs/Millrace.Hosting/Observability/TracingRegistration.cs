using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Millrace.Hosting.Observability;

/// <summary>Traces, the same for every role.</summary>
public static class TracingRegistration
{
    private const string HttpPath = "/v1/traces";

    /// <summary>Spans to the collector that the configuration names. Without one there is nobody to listen, and no
    /// span is made.</summary>
    public static IServiceCollection AddMillraceTraces(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidatedOptions<TracingOptions>("Tracing");
        if (string.IsNullOrEmpty(configuration["Tracing:Endpoint"])) return services;
        services.AddOptions<OtlpExporterOptions>().Configure<IOptions<TracingOptions>>(Export);
        var node = configuration["Node:Name"] ?? Environment.MachineName;
        services.AddOpenTelemetry().WithTracing(tracing => tracing
            .ConfigureResource(resource => resource.AddService("millrace", serviceInstanceId: node))
            .AddSource("Millrace.*", "Microsoft.AspNetCore")
            .SetSampler(s => new TraceSampler(
                s.GetRequiredService<IOptions<TracingOptions>>().Value, s.GetRequiredService<TimeProvider>()))
            .AddOtlpExporter());
        return services;
    }

    private static void Export(OtlpExporterOptions exporter, IOptions<TracingOptions> options)
    {
        var (endpoint, protocol) = (options.Value.Endpoint!, options.Value.Protocol);
        exporter.Protocol = protocol;
        var hasPath = new Uri(endpoint).AbsolutePath != "/";
        exporter.Endpoint = protocol == OtlpExportProtocol.Grpc || hasPath
            ? new Uri(endpoint)
            : new Uri(new Uri(endpoint), HttpPath);
    }
}
