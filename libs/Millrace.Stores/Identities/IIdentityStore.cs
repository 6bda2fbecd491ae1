namespace Millrace.Stores.Identities;

public interface IIdentityStore
{
    /// <summary>False when a device of that id exists.</summary>
    ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct = default);

    /// <summary>Creates many at once; returns the ids that existed already and were left as they are.</summary>
    ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<DeviceIdentity> identities, CancellationToken ct = default);

    /// <summary>The device, or null; ST-0004 when its stored keys were tampered with.</summary>
    ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default);

    /// <summary>The state that the device is in, or null; also when its stored keys were tampered with.</summary>
    ValueTask<DeviceRevision?> FindRevisionAsync(string deviceId, CancellationToken ct = default);

    /// <summary>
    /// Replaces the identity when the stored one is of its generation and its version is
    /// <paramref name="expectedVersion"/>; false when it is another, or the device is gone. The stored version becomes
    /// expected + 1.
    /// </summary>
    ValueTask<bool> UpdateAsync(DeviceIdentity identity, long expectedVersion, CancellationToken ct = default);

    /// <summary>
    /// False when the device is in another state by now, is another one, or is gone. What is deleted is among
    /// <see cref="ListUntoldEndsAsync"/> until it is told, whatever happens to who deletes it.
    /// </summary>
    ValueTask<bool> DeleteAsync(
        string deviceId, DeviceRevision expected, DateTimeOffset at, CancellationToken ct = default);

    /// <summary>
    /// Devices that were deleted, or were to be, and of which <see cref="EndToldAsync"/> was not said; in no order.
    /// </summary>
    ValueTask<IReadOnlyList<DeviceEnd>> ListUntoldEndsAsync(CancellationToken ct = default);

    /// <summary>All who follow devices can know of it, or there is nothing to tell.</summary>
    ValueTask EndToldAsync(DeviceEnd end, CancellationToken ct = default);

    /// <summary>
    /// In the order of their ids' bytes. A page may be shorter than the limit, or empty, and have a token still:
    /// <see cref="DeviceFilter.LookedAtMax"/>. A device whose stored keys were tampered with is listed without keys:
    /// one of them must not hide the others.
    /// </summary>
    ValueTask<Page<DeviceIdentity>> ListAsync(
        DeviceFilter filter, int limit, string? continuation, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);

    /// <summary>
    /// Puts the stored keys of devices, in the order of their ids, under the present key where they are under the
    /// other one; nothing else of a device changes. Looks at so many of them at most; when there is no other, at none.
    /// </summary>
    ValueTask<KeyRenewal> RenewKeysAsync(int limit, string? continuation, CancellationToken ct = default);

    /// <summary>None was left on any page: processes that have the other key alone may be refused.</summary>
    ValueTask AllKeysRenewedAsync(CancellationToken ct = default);
}
