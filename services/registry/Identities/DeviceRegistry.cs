using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Audit;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>The hub's devices. A change is kept first, then told; who asked is written down.</summary>
public sealed class DeviceRegistry
{
    private readonly IIdentityStore _store;
    private readonly IAuditStore _audit;
    private readonly DeviceChanges _changes;
    private readonly DeviceRules _rules;
    private readonly TimeProvider _time;

    internal DeviceRegistry(
        IIdentityStore store, IAuditStore audit, DeviceChanges changes, IOptions<RegistryOptions> options,
        TimeProvider time)
    {
        _store = store;
        _audit = audit;
        _changes = changes;
        _rules = new DeviceRules(options.Value);
        _time = time;
    }

    /// <summary>Makes a device; RG-0001 when there is one of that id.</summary>
    public async ValueTask<DeviceIdentity> CreateAsync(
        NewDevice device, string actor, CancellationToken ct = default)
    {
        var existing = await CreateManyAsync([device], actor, ct);
        return existing.Count == 0
            ? await GetAsync(device.DeviceId, ct)
            : throw RegistryErrors.DeviceExists.With(device.DeviceId).AsException();
    }

    /// <summary>Makes many devices, and returns the ids that existed already and were left as they are.</summary>
    public async ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<NewDevice> devices, string actor, CancellationToken ct = default)
    {
        var now = _time.GetUtcNow();
        var identities = devices.Select(d => _rules.Identity(d, now)).ToList();
        var existing = await _store.CreateManyAsync(identities, ct);
        var made = identities.Where(i => !existing.Contains(i.DeviceId)).ToList();
        if (made.Count == 0) return existing;
        await _changes.TellAsync(
            LifecycleKind.Created, [.. made.Select(i => (i.DeviceId, i.GenerationId))], null, ct);
        var detail = made.Count == 1 ? null : $"and {made.Count - 1} more";
        await _audit.AddAsync(new AuditEntry(now, actor, "device.create", made[0].DeviceId, detail), ct);
        return existing;
    }

    public ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default) =>
        _store.FindAsync(deviceId, ct);

    /// <summary>The device, or RG-0002.</summary>
    public async ValueTask<DeviceIdentity> GetAsync(string deviceId, CancellationToken ct = default) =>
        await _store.FindAsync(DeviceId.Parse(deviceId).Value, ct) ??
        throw RegistryErrors.DeviceNotFound.With(deviceId).AsException();

    public ValueTask<Page<DeviceIdentity>> ListAsync(
        string? prefix, int limit, string? continuation, CancellationToken ct = default) =>
        _store.ListAsync(prefix, limit, continuation, ct);

    /// <summary>
    /// Changes what <paramref name="change"/> names. With an expected version, RG-0003 when the stored one is another.
    /// </summary>
    public ValueTask<DeviceIdentity> UpdateAsync(
        string deviceId, DeviceChange change, long? expectedVersion, string actor, CancellationToken ct = default) =>
        ChangeAsync(deviceId, "device.update", identity => _rules.Apply(identity, change), expectedVersion, actor, ct);

    public ValueTask<DeviceIdentity> SetStatusAsync(
        string deviceId, DeviceStatus status, string? reason, string actor, CancellationToken ct = default) =>
        ChangeAsync(deviceId, status == DeviceStatus.Enabled ? "device.enable" : "device.disable",
            identity => identity with { Status = status, StatusReason = reason }, null, actor, ct);

    /// <summary>Makes new keys; connections that used an old one are closed.</summary>
    public ValueTask<DeviceIdentity> RegenerateKeysAsync(
        string deviceId, DeviceKeys which, string actor, CancellationToken ct = default) =>
        ChangeAsync(deviceId, $"device.keys.{which.ToString().ToLowerInvariant()}", identity => which switch
        {
            DeviceKeys.Primary => identity with { PrimaryKey = DeviceRules.NewKey() },
            DeviceKeys.Secondary => identity with { SecondaryKey = DeviceRules.NewKey() },
            DeviceKeys.Both => identity with { PrimaryKey = DeviceRules.NewKey(), SecondaryKey = DeviceRules.NewKey() },
            _ => identity with { PrimaryKey = identity.SecondaryKey, SecondaryKey = identity.PrimaryKey },
        }, null, actor, ct);

    /// <summary>Removes the device; RG-0002 when there is none.</summary>
    public async ValueTask DeleteAsync(string deviceId, string actor, CancellationToken ct = default)
    {
        var identity = await GetAsync(deviceId, ct);
        if (!await _store.DeleteAsync(deviceId, ct)) throw RegistryErrors.DeviceNotFound.With(deviceId).AsException();
        await _changes.TellAsync(LifecycleKind.Deleted, [(deviceId, identity.GenerationId)], null, ct);
        await _audit.AddAsync(new AuditEntry(_time.GetUtcNow(), actor, "device.delete", deviceId, null), ct);
    }

    private async ValueTask<DeviceIdentity> ChangeAsync(
        string deviceId, string action, Func<DeviceIdentity, DeviceIdentity> change, long? expectedVersion,
        string actor, CancellationToken ct)
    {
        while (true)
        {
            var before = await GetAsync(deviceId, ct);
            if (expectedVersion is { } expected && expected != before.Version)
                throw RegistryErrors.VersionConflict.With($"{deviceId}, version {before.Version}").AsException();
            var now = _time.GetUtcNow();
            var after = change(before) with { UpdatedAt = now, Version = before.Version + 1 };

            // Without an expected version the caller wants the change whatever came between.
            if (!await _store.UpdateAsync(after, before.Version, ct)) continue;
            await _changes.TellAsync(LifecycleKind.Updated, [(deviceId, after.GenerationId)], action, ct);
            await _audit.AddAsync(new AuditEntry(now, actor, action, deviceId, null), ct);
            return after;
        }
    }
}

/// <summary>Which of a device's two keys.</summary>
public enum DeviceKeys
{
    Primary,
    Secondary,
    Both,

    /// <summary>Exchange the two, without making new ones.</summary>
    Swap,
}
