using Microsoft.Extensions.Options;
using Millrace.Stores.Identities;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// Identities as lately read from the store; "there is none" is remembered as well, apart, so that made-up names do
/// not push real devices out and take as long as they do.
/// </summary>
internal sealed class IdentityCache(IIdentityStore store, IOptions<GatewayOptions> options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly GenerationCache<Entry> _known = new(options.Value.IdentityCacheMax);
    private readonly GenerationCache<Entry> _unknown = new(options.Value.IdentityCacheMax);
    private long _epoch;

    /// <summary>Counts the invalidations. What was read before one may be stale after it.</summary>
    public long Epoch => Volatile.Read(ref _epoch);

    public async ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct)
    {
        var epoch = Epoch;
        if (TryGet(deviceId, out var kept)) return kept;
        var identity = await store.FindAsync(deviceId, ct).ConfigureAwait(false);
        lock (_gate)
        {
            // A change that was announced while the store was read may not be in what was read.
            if (epoch != _epoch) return identity;
            // An identity is kept under its own name: each string that is kept twice is kept for each device.
            var entry = new Entry(identity, time.GetTimestamp());
            if (identity is null) _unknown.Set(deviceId, entry);
            else _known.Set(identity.DeviceId, entry);
        }

        return identity;
    }

    public void Invalidate(string deviceId)
    {
        lock (_gate)
        {
            _epoch++;
            _known.Remove(deviceId);
            _unknown.Remove(deviceId);
        }
    }

    private bool TryGet(string deviceId, out DeviceIdentity? identity)
    {
        lock (_gate)
        {
            var found = _known.TryGet(deviceId, out var entry) || _unknown.TryGet(deviceId, out entry);
            identity = entry.Identity;
            return found && time.GetElapsedTime(entry.ReadAt) < options.Value.IdentityRecheckInterval;
        }
    }

    private readonly record struct Entry(DeviceIdentity? Identity, long ReadAt);
}
