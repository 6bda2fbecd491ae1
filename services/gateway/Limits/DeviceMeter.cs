namespace Millrace.Gateway.Limits;

/// <summary>One device's limits and what it has used of them, shared by all its connections.</summary>
internal sealed class DeviceMeter(DeviceLimits limits, TimeSpan burst) : TrafficMeter(limits.Traffic, burst)
{
    private int _connections;

    public DeviceLimits Limits { get; } = limits;

    public bool IsConnected => Volatile.Read(ref _connections) > 0;

    public void Enter() => Interlocked.Increment(ref _connections);

    public void Leave() => Interlocked.Decrement(ref _connections);
}
