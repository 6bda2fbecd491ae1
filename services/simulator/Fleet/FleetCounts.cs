namespace Millrace.Simulator.Fleet;

/// <summary>What all devices of a fleet did.</summary>
internal sealed class FleetCounts
{
    private readonly LatencyHistogram _latency = new();
    private int _connected;
    private long _sent;
    private long _acknowledged;
    private long _refused;
    private volatile string? _lastRefusal;

    public void Connect() => Interlocked.Increment(ref _connected);

    public void Disconnect() => Interlocked.Decrement(ref _connected);

    public void Send() => Interlocked.Increment(ref _sent);

    /// <param name="why">Why a connection or a message was not taken.</param>
    public void Refuse(string why)
    {
        _lastRefusal = why;
        Interlocked.Increment(ref _refused);
    }

    public void Acknowledge(TimeSpan latency)
    {
        Interlocked.Increment(ref _acknowledged);
        _latency.Add(latency);
    }

    public SimulationReport Report() => new(Volatile.Read(ref _connected), Interlocked.Read(ref _sent),
        Interlocked.Read(ref _acknowledged), Interlocked.Read(ref _refused), Math.Round(_latency.PercentileMs(0.5), 2),
        Math.Round(_latency.PercentileMs(0.99), 2), Math.Round(_latency.MaxMs, 2), _lastRefusal);
}
