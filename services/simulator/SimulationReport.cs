namespace Millrace.Simulator;

/// <summary>What a fleet did, so far or in all. Latencies are from publish to acknowledgement.</summary>
public sealed record SimulationReport(
    int Connected, long Sent, long Acknowledged, long Refused, double AckP50Ms, double AckP99Ms, double AckMaxMs,
    string? LastRefusal);
