using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry.Trace;

namespace Millrace.Hosting.Observability;

/// <summary>
/// What is traced: of what enters the platform (a device's message, a request) what its traceparent asks for, else a
/// share, and no more than some a second; of what happens on the way, what belongs to something that is traced.
/// </summary>
internal sealed class TraceSampler(TracingOptions options, TimeProvider time) : Sampler
{
    private static readonly Counter<long> Limited =
        new Meter("Millrace.Hosting").CreateCounter<long>("millrace.traces.limited");

    private readonly TraceIdRatioBasedSampler _share = new(options.SampleRatio);
    private readonly Lock _gate = new();
    private long _second;
    private int _taken;

    public override SamplingResult ShouldSample(in SamplingParameters parameters)
    {
        var parent = parameters.ParentContext;
        var enters = parameters.Kind == ActivityKind.Server;
        if (parent.TraceId != default)
        {
            var isTraced = parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
            return Decide(isTraced && (!enters || TryTake()));
        }

        return Decide(enters
            && _share.ShouldSample(parameters).Decision == SamplingDecision.RecordAndSample && TryTake());
    }

    private static SamplingResult Decide(bool isTraced) =>
        new(isTraced ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);

    private bool TryTake()
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        lock (_gate)
        {
            if (_second != now) (_second, _taken) = (now, 0);
            if (_taken < options.PerSecondMax)
            {
                _taken++;
                return true;
            }
        }

        Limited.Add(1);
        return false;
    }
}
