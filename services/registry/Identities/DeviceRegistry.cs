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
        var now = Now;
        var identities = new Dictionary<string, DeviceIdentity>();
        foreach (var device in devices)
        {
            var identity = _rules.Identity(device, now);
            if (identities.TryAdd(identity.DeviceId, identity)) continue;
            throw RegistryErrors.RequestInvalid.With(identity.DeviceId, "It is in the request twice.").AsException();
        }

        var existing = await _store.CreateManyAsync([.. identities.Values], ct);
        foreach (var id in existing) identities.Remove(id);
        if (identities.Count == 0) return existing;
        var detail = identities.Count == 1 ? null : $"and {identities.Count - 1} more";
        await ToldAsync(LifecycleKind.Created,
            [.. identities.Values.Select(i => (i.DeviceId, (string?)i.GenerationId))], null,
            new AuditEntry(now, actor, "device.create", identities.Keys.First(), detail));
        return existing;
    }

    public ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default) =>
        _store.FindAsync(deviceId, ct);

    /// <summary>The device, or RG-0002.</summary>
    public async ValueTask<DeviceIdentity> GetAsync(string deviceId, CancellationToken ct = default) =>
        await _store.FindAsync(DeviceId.Parse(deviceId).Value, ct) ??
        throw RegistryErrors.DeviceNotFound.With(deviceId).AsException();

    public ValueTask<Page<DeviceIdentity>> ListAsync(
        DeviceFilter filter, int limit, string? continuation, CancellationToken ct = default) =>
        _store.ListAsync(filter, limit, continuation, ct);

    /// <summary>
    /// Changes what <paramref name="change"/> names. Where a state is expected, here and below, RG-0003 when the stored
    /// one is another.
    /// </summary>
    public ValueTask<DeviceIdentity> UpdateAsync(
        string deviceId, DeviceChange change, ExpectedDevice? expected, string actor,
        CancellationToken ct = default) =>
        ChangeAsync(deviceId, "device.update", identity => _rules.Apply(identity, change), expected, actor, ct);

    public ValueTask<DeviceIdentity> SetStatusAsync(
        string deviceId, DeviceStatus status, string? reason, ExpectedDevice? expected, string actor,
        CancellationToken ct = default) =>
        ChangeAsync(deviceId, status == DeviceStatus.Enabled ? "device.enable" : "device.disable",
            identity => identity with { Status = status, StatusReason = _rules.Reason(reason) }, expected, actor, ct);

    /// <summary>
    /// Makes new keys, or exchanges the two; connections that used a key which is gone are closed. RG-0007 when the
    /// device has no keys.
    /// </summary>
    public ValueTask<DeviceIdentity> RegenerateKeysAsync(
        string deviceId, DeviceKeys which, ExpectedDevice? expected, string actor, CancellationToken ct = default) =>
        ChangeAsync(deviceId, $"device.keys.{which.ToString().ToLowerInvariant()}",
            identity => _rules.WithKeys(identity, which), expected, actor, ct);

    /// <summary>
    /// Removes the device, also one whose stored keys were tampered with; RG-0002 when there is none.
    /// </summary>
    public async ValueTask DeleteAsync(
        string deviceId, ExpectedDevice? expected, string actor, CancellationToken ct = default)
    {
        DeviceRevision stored;
        DateTimeOffset now;
        do
        {
            stored = await _store.FindRevisionAsync(DeviceId.Parse(deviceId).Value, ct) ??
                throw RegistryErrors.DeviceNotFound.With(deviceId).AsException();
            Check(deviceId, stored, expected);
            now = Now;
        }
        while (!await _store.DeleteAsync(deviceId, stored, now, ct));

        await ToldAsync(LifecycleKind.Deleted, [(deviceId, stored.GenerationId)], null,
            new AuditEntry(Now, actor, "device.delete", deviceId, null));
        await _store.EndToldAsync(
            new DeviceEnd(deviceId, stored.GenerationId, now.ToUnixTimeMilliseconds()), CancellationToken.None);
    }

    /// <summary>To the millisecond, as stores keep it: what a change answers is what a later look shows.</summary>
    private DateTimeOffset Now =>
        DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private static void Check(string deviceId, DeviceRevision stored, ExpectedDevice? expected)
    {
        if (expected is not { } seen || seen.Is(stored)) return;
        throw RegistryErrors.VersionConflict.With($"{deviceId}, version {stored.Version}").AsException();
    }

    private async ValueTask<DeviceIdentity> ChangeAsync(
        string deviceId, string action, Func<DeviceIdentity, DeviceIdentity> change, ExpectedDevice? expected,
        string actor, CancellationToken ct)
    {
        while (true)
        {
            var before = await GetAsync(deviceId, ct);
            Check(deviceId, before.Revision, expected);
            var now = Now;
            var after = change(before) with { UpdatedAt = now, Version = before.Version + 1 };

            // Without an expected state the caller wants the change whatever came between.
            if (!await _store.UpdateAsync(after, before.Version, ct)) continue;
            await ToldAsync(LifecycleKind.Updated, [(deviceId, after.GenerationId)], action,
                new AuditEntry(now, actor, action, deviceId, null));
            return after;
        }
    }

    /// <summary>What is kept is told, also when the caller has gone meanwhile.</summary>
    private async ValueTask ToldAsync(
        LifecycleKind kind, IReadOnlyList<(string DeviceId, string? GenerationId)> devices, string? reason,
        AuditEntry entry)
    {
        RegistryMetrics.Changes.Add(devices.Count, new KeyValuePair<string, object?>("action", entry.Action));
        await _audit.AddAsync(entry, CancellationToken.None);
        await _changes.TellAsync(kind, devices, reason, CancellationToken.None);
    }
}
