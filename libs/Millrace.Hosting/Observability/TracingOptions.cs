using System.ComponentModel.DataAnnotations;
using OpenTelemetry.Exporter;

namespace Millrace.Hosting.Observability;

/// <summary>Where a message's way through the platform is told. Section "Tracing".</summary>
public sealed class TracingOptions
{
    /// <summary>
    /// The collector that takes spans by OTLP, such as <c>http://collector:4317</c>. Without one nothing is traced.
    /// </summary>
    [RegularExpression("^https?://[^\\s/]+(/\\S*)?$",
        ErrorMessage = "An address is http://HOST:PORT or https://HOST:PORT.")]
    public string? Endpoint { get; set; }

    /// <summary><c>Grpc</c>, or <c>HttpProtobuf</c>.</summary>
    public OtlpExportProtocol Protocol { get; set; } = OtlpExportProtocol.Grpc;

    /// <summary>
    /// The share of what comes without a traceparent that is traced: 0 to 1. What comes with one is traced when that
    /// says so.
    /// </summary>
    [Range(0.0, 1.0)]
    public double SampleRatio { get; set; }

    /// <summary>
    /// Messages and requests a second of this process that may begin to be traced; more of them are not.
    /// </summary>
    [Range(1, 1_000_000)]
    public int PerSecondMax { get; set; } = 100;
}
