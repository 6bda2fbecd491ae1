using Microsoft.Extensions.Options;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Limits;

/// <summary>The meters of the hub and of its devices, and their clock.</summary>
internal sealed class GatewayLimits
{
    private const int FirstSweep = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DeviceMeter> _meters = [];
    private readonly Dictionary<string, DeviceLimits> _named = [];
    private readonly DeviceLimits _each;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private int _sweepAt = FirstSweep;

    public GatewayLimits(IOptions<GatewayOptions> options, TimeProvider time)
    {
        _time = time;
        _startedAt = time.GetTimestamp();
        Options = options.Value.Limits;
        _each = new DeviceLimits(options.Value, new DeviceLimitOptions());
        foreach (var named in Options.Devices)
        {
            var limits = new DeviceLimits(options.Value, named);
            foreach (var id in named.DeviceIds) _named[id] = limits;
        }

        Hub = new TrafficMeter(Options.Hub, Options.Burst);
        Share(gateways: 1);
        Logins = new LoginThrottle(Options.Logins);
    }

    public LimitOptions Options { get; }

    public TrafficMeter Hub { get; }

    public LoginThrottle Logins { get; }

    /// <summary>Whether there is something that all gateways share.</summary>
    public bool IsShared => Options.SharedBytesPerSecond?.Bytes > 0;

    /// <summary>Devices on whose account there may be something.</summary>
    public int Count => _meters.Count;

    public long NowNs => _time.GetElapsedTime(_startedAt).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>What every session is granted until it is known whose it is.</summary>
    public static SessionLimits SessionOf(GatewayOptions options) => new(
        (int)options.PacketBytesMax.Bytes, options.InFlightMax, options.TopicAliasMax,
        (int)options.KeepAliveMax.TotalSeconds, (uint)options.Sessions.ExpiryMax.TotalSeconds,
        options.Sessions.OutboundInFlightMax, options.Sessions.OutboundTopicAliasMax);

    /// <summary>So many gateways are at work, this one among them: each holds to an even share.</summary>
    public void Share(int gateways)
    {
        if (IsShared) Hub.HoldTo((double)Options.SharedBytesPerSecond!.Value.Bytes / Math.Max(1, gateways));
    }

    public DeviceLimits Of(string deviceId) => _named.GetValueOrDefault(deviceId, _each);

    /// <summary>
    /// The device's meter for one connection, which leaves it at its end. A device that comes again finds what it had
    /// used.
    /// </summary>
    public DeviceMeter Enter(string deviceId)
    {
        lock (_gate)
        {
            if (!_meters.TryGetValue(deviceId, out var meter))
            {
                if (_meters.Count >= _sweepAt) Sweep();
                meter = new DeviceMeter(Of(deviceId), Options.Burst);
                _meters[deviceId] = meter;
            }

            meter.Enter();
            return meter;
        }
    }

    /// <summary>
    /// Counts a publish that no connection brings, as a will is; false, and not counted, when it is too much for the
    /// day of the device or of the hub.
    /// </summary>
    public bool TryCount(string deviceId, long bytes, long timestampMs)
    {
        var meter = Enter(deviceId);
        try
        {
            return meter.TryCount(DayOf(timestampMs), bytes, with: Hub);
        }
        finally
        {
            meter.Leave();
        }
    }

    /// <summary>
    /// Lets go of devices that are gone and have nothing on their account; the next look is when there are twice as
    /// many as were kept.
    /// </summary>
    private void Sweep()
    {
        var nowNs = NowNs;
        var day = DayOf(_time.GetUtcNow().ToUnixTimeMilliseconds());
        foreach (var (id, meter) in _meters)
        {
            if (!meter.IsConnected && meter.IsIdle(nowNs, day)) _meters.Remove(id);
        }

        _sweepAt = Math.Max(FirstSweep, _meters.Count * 2);
    }

    /// <summary>Days since 1970 in UTC.</summary>
    public static long DayOf(long unixMs) => unixMs / TimeSpan.MillisecondsPerDay;
}
