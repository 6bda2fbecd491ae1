using Microsoft.Extensions.Logging;
using Millrace.Primitives;

namespace Millrace.Gateway.Authentication;

/// <summary>Logs refusals, at most once a minute a device, and of a bounded number of devices.</summary>
internal sealed class RefusalLog(TimeProvider time, ILogger<RefusalLog> logger)
{
    private const int DevicesMax = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _loggedAt = [];

    /// <param name="name">As the client gave it.</param>
    public void Refused(string name, string reason, ErrorDefinition error)
    {
        var device = DeviceName.ForLog(name);
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (_loggedAt.TryGetValue(device, out var at) && time.GetElapsedTime(at, now) < Interval) return;
            if (_loggedAt.Count >= DevicesMax) Forget(now);
            if (_loggedAt.Count >= DevicesMax) return;
            _loggedAt[device] = now;
        }

        logger.LoginRefused(error.Code, device, reason);
    }

    private void Forget(long now)
    {
        foreach (var (device, at) in _loggedAt)
        {
            if (time.GetElapsedTime(at, now) >= Interval) _loggedAt.Remove(device);
        }
    }
}
