using Millrace.Contracts;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Limits;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Primitives;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// Keeping to the limits. Over a rate, the socket is not read for a while: the client is slowed by TCP, and what it
/// sent is not lost. That is for as long as the options say; then the connection ends.
/// </summary>
internal sealed partial class MqttConnection
{
    /// <summary>Shorter pauses would cost more than they spare.</summary>
    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(100);

    private DeviceMeter? _meter;
    private Allowance _allowance = Allowance.Unlimited;
    private long _slowedSinceNs = -1;

    /// <summary>
    /// What the publishes of this read become in the stores. That may be far more than was received: the properties of
    /// a topic that stands behind an alias are stored with every message.
    /// </summary>
    private long _rowBytes;

    /// <summary>Filters of this read beyond one a packet: each counts as a message.</summary>
    private int _moreFilters;

    private bool IsSpent(in PacketCursor cursor) =>
        cursor.Packets >= _allowance.Messages || Math.Max(cursor.Bytes, _rowBytes) >= _allowance.Bytes;

    /// <summary>Asked before the packets of a read are taken.</summary>
    private void AskAllowance()
    {
        (_rowBytes, _moreFilters) = (0, 0);
        if (_meter is null) return;
        var nowNs = runtime.Limits.NowNs;
        _allowance = _meter.Ask(nowNs).Least(runtime.Limits.Hub.Ask(nowNs));
    }

    private void Charge(int packets, long bytes)
    {
        if (_meter is null || packets == 0) return;
        var nowNs = runtime.Limits.NowNs;
        bytes = Math.Max(bytes, _rowBytes);
        _meter.Charge(packets, bytes, nowNs);
        runtime.Limits.Hub.Charge(packets, bytes, nowNs);
    }

    private async ValueTask SlowDownAsync()
    {
        var nowNs = runtime.Limits.NowNs;
        var own = _meter!.Wait(nowNs);
        var hub = runtime.Limits.Hub.Wait(nowNs);
        if (own > TimeSpan.Zero && IsSlowedTooLong(nowNs))
        {
            runtime.Log.RateExceeded(
                GatewayErrors.LimitReached.Code, _login!.DeviceId, runtime.Limits.Options.SlowedMax);
            TryEnd(ConnectionEnd.RateExceeded);
            return;
        }

        runtime.Metrics.Paused(own >= hub ? "device-rate" : "hub-rate");
        var wait = own > hub ? own : hub;
        await PauseAsync(wait > PauseMin ? wait : PauseMin).ConfigureAwait(false);
    }

    private bool IsSlowedTooLong(long nowNs)
    {
        if (_slowedSinceNs < 0) _slowedSinceNs = nowNs;
        var max = runtime.Limits.Options.SlowedMax;
        return max > TimeSpan.Zero && (nowNs - _slowedSinceNs) / TimeSpan.NanosecondsPerTick > max.Ticks;
    }

    /// <summary>Reads nothing for a time, or until the connection ends.</summary>
    private async ValueTask PauseAsync(TimeSpan time)
    {
        var untilNs = runtime.Limits.NowNs + (time.Ticks * TimeSpan.NanosecondsPerTick);
        await using var timer = runtime.Time.CreateTimer(
            static resume => ((Publishing.AutoSignal)resume!).Call(), _resume, time, PauseMin);
        while (runtime.Limits.NowNs < untilNs && End is null && !runtime.IsDraining)
            await _resume.WaitAsync().ConfigureAwait(false);
    }

    /// <summary>A login waits where many have failed.</summary>
    private async ValueTask SlowLoginAsync(string name)
    {
        var wait = runtime.Limits.Logins.Delay(IdOf(name), address, runtime.Limits.NowNs);
        if (wait <= TimeSpan.Zero) return;
        runtime.Metrics.Paused("login-failures");
        await PauseAsync(wait).ConfigureAwait(false);
    }

    private void CountFailedLogin(string name) =>
        runtime.Limits.Logins.Failed(IdOf(name), address, runtime.Limits.NowNs);

    /// <summary>Takes the device's limits on; false when it connects too often.</summary>
    private bool TryEnter(DeviceLogin login)
    {
        _meter = runtime.Limits.Enter(login.DeviceId);
        _session.Limits = runtime.Spaces.Table.Granting(_meter.Limits.Session);
        return _meter.TryConnect(runtime.Limits.NowNs, TimeSpan.Zero, out _);
    }

    private bool TryCount(in PublishPacket publish, long timestampMs)
    {
        var day = GatewayLimits.DayOf(timestampMs);
        _rowBytes += TelemetryMessage.RowBytes + _login!.DeviceId.Length + publish.Bytes;
        return _meter!.TryCount(day, publish.Bytes, with: runtime.Limits.Hub);
    }

    private static string? IdOf(string name) => DeviceId.IsValid(name) ? name : null;
}
