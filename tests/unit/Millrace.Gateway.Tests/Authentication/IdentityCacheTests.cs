using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Stores;
using Millrace.Stores.Identities;

namespace Millrace.Gateway.Tests.Authentication;

public class IdentityCacheTests
{
    [Test]
    public async Task An_identity_is_read_once_and_again_after_a_notice()
    {
        var store = new CountingStore();
        var cache = Cache(store);

        Assert.That((await cache.FindAsync("a", default))?.Version, Is.EqualTo(1));
        Assert.That((await cache.FindAsync("a", default))?.Version, Is.EqualTo(1));
        cache.Invalidate("a");
        Assert.That((await cache.FindAsync("a", default))?.Version, Is.EqualTo(2));
        Assert.That(store.Reads, Is.EqualTo(2));
    }

    [Test]
    public async Task That_there_is_none_is_remembered_too()
    {
        var store = new CountingStore();
        var cache = Cache(store);

        Assert.That(await cache.FindAsync("none", default), Is.Null);
        Assert.That(await cache.FindAsync("none", default), Is.Null);
        Assert.That(store.Reads, Is.EqualTo(1));
    }

    [Test]
    public async Task What_was_read_while_a_notice_came_is_not_kept()
    {
        var store = new CountingStore();
        var cache = Cache(store);
        store.WhileReading = () => cache.Invalidate("a");
        await cache.FindAsync("a", default);
        store.WhileReading = null;

        Assert.That((await cache.FindAsync("a", default))?.Version, Is.EqualTo(2));
    }

    [Test]
    public void A_cache_holds_no_more_than_it_may_and_forgets_the_oldest()
    {
        var cache = new GenerationCache<int>(max: 10);
        for (var i = 0; i < 100; i++)
        {
            cache.Set($"{i}", i);
            Assert.That(cache.TryGet("0", out _), "what is asked for stays");
        }

        Assert.That(Enumerable.Range(0, 100).Count(i => cache.TryGet($"{i}", out _)), Is.LessThanOrEqualTo(10));
        Assert.That(cache.TryGet("99", out var last) && last == 99);
    }

    private static IdentityCache Cache(IIdentityStore store) =>
        new(store, Options.Create(new GatewayOptions()), TimeProvider.System);

    /// <summary>A device whose version says how often the store was read.</summary>
    private sealed class CountingStore : IIdentityStore
    {
        public int Reads { get; private set; }

        public Action? WhileReading { get; set; }

        public ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct = default)
        {
            Reads++;
            WhileReading?.Invoke();
            return new ValueTask<DeviceIdentity?>(deviceId == "none" ? null : new DeviceIdentity
            {
                DeviceId = deviceId,
                GenerationId = "g",
                CreatedAt = default,
                UpdatedAt = default,
                Version = Reads,
            });
        }

        public ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<string>> CreateManyAsync(
            IReadOnlyList<DeviceIdentity> identities, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<bool> UpdateAsync(
            DeviceIdentity identity, long expectedVersion, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<DeviceRevision?> FindRevisionAsync(string deviceId, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<bool> DeleteAsync(
            string deviceId, DeviceRevision expected, DateTimeOffset at, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<DeviceEnd>> ListUntoldEndsAsync(CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask EndToldAsync(DeviceEnd end, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<KeyRenewal> RenewKeysAsync(
            int limit, string? continuation, CancellationToken ct = default) => throw new NotSupportedException();

        public ValueTask AllKeysRenewedAsync(CancellationToken ct = default) => throw new NotSupportedException();

        public ValueTask<Page<DeviceIdentity>> ListAsync(
            DeviceFilter filter, int limit, string? continuation, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<long> CountAsync(CancellationToken ct = default) => throw new NotSupportedException();
    }
}
