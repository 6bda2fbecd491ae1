using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Millrace.Gateway.Authentication;

namespace Millrace.Gateway.Limits;

/// <summary>
/// Makes logins wait where many have failed of late: under one device name, and from one address. The wait comes before
/// the credential is looked at and is the same whether it is right or wrong, so nothing is learned from it; and it is
/// bounded, so that guessing at a device's key never locks the device out.
/// </summary>
internal sealed class LoginThrottle(LoginLimitOptions options)
{
    private static readonly TimeSpan Burst = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly GenerationCache<TokenBucket> _devices = new(options.TrackedMax);
    private readonly GenerationCache<TokenBucket> _addresses = new(options.TrackedMax);

    /// <param name="device">A device id, or null when none was given.</param>
    /// <param name="address">Where the client is; null when it is not known.</param>
    public TimeSpan Delay(string? device, IPAddress? address, long nowNs)
    {
        lock (_gate)
        {
            var wait = WaitOf(_devices, device, nowNs);
            var ofAddress = WaitOf(_addresses, KeyOf(address), nowNs);
            if (ofAddress > wait) wait = ofAddress;
            return wait < options.DelayMax ? wait : options.DelayMax;
        }
    }

    public void Failed(string? device, IPAddress? address, long nowNs)
    {
        lock (_gate)
        {
            Take(_devices, device, options.DeviceFailuresPerMinute, nowNs);
            Take(_addresses, KeyOf(address), options.AddressFailuresPerMinute, nowNs);
        }
    }

    private static TimeSpan WaitOf(GenerationCache<TokenBucket> buckets, string? key, long nowNs) =>
        key is not null && buckets.TryGet(key, out var bucket) ? bucket.Wait(nowNs) : TimeSpan.Zero;

    /// <summary>
    /// No more is charged than makes the longest wait: what is guessed beyond it must not slow the device down for days
    /// after it has stopped.
    /// </summary>
    private void Take(GenerationCache<TokenBucket> buckets, string? key, int perMinute, long nowNs)
    {
        if (key is null || perMinute == 0) return;
        if (!buckets.TryGet(key, out var bucket)) bucket = new TokenBucket(perMinute / Burst.TotalSeconds, Burst);
        if (bucket.Wait(nowNs) >= options.DelayMax) return;
        bucket.Take(1, nowNs);
        buckets.Set(key, bucket);
    }

    /// <summary>Who has one address of IPv6 has all of its /64.</summary>
    private static string? KeyOf(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        return BinaryPrimitives.ReadUInt64BigEndian(address.GetAddressBytes()).ToString("x16");
    }
}
