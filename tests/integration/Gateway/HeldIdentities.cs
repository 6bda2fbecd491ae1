using Millrace.Stores;
using Millrace.Stores.Identities;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A store that looks up identities only when it is let go.</summary>
internal sealed class HeldIdentities(IIdentityStore store) : IIdentityStore
{
    private TaskCompletionSource? _held;
    private int _waiting;

    /// <summary>How many wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => _held?.TrySetResult();

    public async ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default)
    {
        if (_held is { } held)
        {
            Interlocked.Increment(ref _waiting);
            await held.Task;
            Interlocked.Decrement(ref _waiting);
        }

        return await store.FindAsync(deviceId, ct);
    }

    public ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct = default) =>
        store.CreateAsync(identity, ct);

    public ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<DeviceIdentity> identities, CancellationToken ct = default) =>
        store.CreateManyAsync(identities, ct);

    public ValueTask<bool> UpdateAsync(
        DeviceIdentity identity, long expectedVersion, CancellationToken ct = default) =>
        store.UpdateAsync(identity, expectedVersion, ct);

    public ValueTask<DeviceRevision?> FindRevisionAsync(string deviceId, CancellationToken ct = default) =>
        store.FindRevisionAsync(deviceId, ct);

    public ValueTask<bool> DeleteAsync(
        string deviceId, DeviceRevision expected, DateTimeOffset at, CancellationToken ct = default) =>
        store.DeleteAsync(deviceId, expected, at, ct);

    public ValueTask<IReadOnlyList<DeviceEnd>> ListUntoldEndsAsync(CancellationToken ct = default) =>
        store.ListUntoldEndsAsync(ct);

    public ValueTask EndToldAsync(DeviceEnd end, CancellationToken ct = default) => store.EndToldAsync(end, ct);

    public ValueTask<Page<DeviceIdentity>> ListAsync(
        DeviceFilter filter, int limit, string? continuation, CancellationToken ct = default) =>
        store.ListAsync(filter, limit, continuation, ct);

    public ValueTask<long> CountAsync(CancellationToken ct = default) => store.CountAsync(ct);

    public ValueTask<KeyRenewal> RenewKeysAsync(int limit, string? continuation, CancellationToken ct = default) =>
        store.RenewKeysAsync(limit, continuation, ct);

    public ValueTask AllKeysRenewedAsync(CancellationToken ct = default) => store.AllKeysRenewedAsync(ct);
}
