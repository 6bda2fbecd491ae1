namespace Millrace.Stores.Identities;

public interface IIdentityStore
{
    /// <summary>False when a device of that id exists.</summary>
    ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct = default);

    /// <summary>Creates many at once; returns the ids that existed already and were left as they are.</summary>
    ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<DeviceIdentity> identities, CancellationToken ct = default);

    ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default);

    /// <summary>
    /// Replaces the identity when the stored version is <paramref name="expectedVersion"/>; false when it is another,
    /// or the device is gone. The stored version becomes expected + 1.
    /// </summary>
    ValueTask<bool> UpdateAsync(DeviceIdentity identity, long expectedVersion, CancellationToken ct = default);

    /// <summary>False when there was none.</summary>
    ValueTask<bool> DeleteAsync(string deviceId, CancellationToken ct = default);

    /// <summary>In order of their ids; <paramref name="idPrefix"/> filters.</summary>
    ValueTask<Page<DeviceIdentity>> ListAsync(
        string? idPrefix, int limit, string? continuation, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);
}
