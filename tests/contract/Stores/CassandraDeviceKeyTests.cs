using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Machines that share a keyspace, each with a key file of its own or the hub's.</summary>
public class CassandraDeviceKeyTests
{
    [Test]
    public async Task A_machine_with_another_key_is_refused_and_one_with_the_hubs_reads_what_the_first_wrote()
    {
        using var folder = new TemporaryFolder();
        var (first, other) = (Path.Combine(folder.Path, "first"), Path.Combine(folder.Path, "other"));
        await File.WriteAllBytesAsync(other, new byte[32]);
        using (var adapter = new CassandraAdapter(o => o.DeviceKeyFile = first))
            await TryAsync(adapter, first, other, Path.Combine(folder.Path, "missing"));
    }

    /// <summary>A cell that was never written does not hide an older one; a tombstone does.</summary>
    [Test]
    public async Task What_a_device_does_not_have_is_left_unwritten()
    {
        using var adapter = new CassandraAdapter();
        await adapter.Get<IIdentityStore>().CreateAsync(Identity("pump"));
        await adapter.Get<CassandraDatabase>().RunAsync(new StoreStatement("UPDATE identities USING TIMESTAMP 1 "
            + "SET status_reason = 'r', primary_thumbprint = 'p', secondary_thumbprint = 's' "
            + "WHERE shard = ? AND device = ?"), default, Shards.Of("pump"), "pump");
        var found = (await adapter.Get<IIdentityStore>().FindAsync("pump"))!;
        Assert.That((found.StatusReason, found.PrimaryThumbprint, found.SecondaryThumbprint),
            Is.EqualTo(("r", "p", "s")));
        Assert.That(await adapter.Get<IIdentityStore>().UpdateAsync(Identity("pump"), 1), Is.True);
        Assert.That((await adapter.Get<IIdentityStore>().FindAsync("pump"))!.StatusReason, Is.Null);
    }

    private static async Task TryAsync(CassandraAdapter adapter, string first, string other, string missing)
    {
        var made = Identity("pump");
        await adapter.Get<IIdentityStore>().CreateAsync(made);
        Assert.That(File.Exists(first));
        foreach (var wrong in new[] { other, missing })
        {
            adapter.Reopen(o => o.DeviceKeyFile = wrong);
            var refused = Assert.ThrowsAsync<MillraceException>(
                async () => await adapter.Get<IIdentityStore>().CreateAsync(Identity("second")));
            Assert.That(refused!.Error.Definition, Is.EqualTo(StoreErrors.DeviceKeyFileInvalid));
        }

        Assert.That(File.Exists(missing), Is.False);
        adapter.Reopen(o => o.DeviceKeyFile = first);
        Assert.That(await adapter.Get<IIdentityStore>().FindAsync("pump"), Is.EqualTo(made));
    }

    [Test]
    public async Task The_key_is_changed_while_machines_with_either_go_on()
    {
        using var folder = new TemporaryFolder();
        var (old, present) = (Path.Combine(folder.Path, "old"), Path.Combine(folder.Path, "present"));
        await File.WriteAllBytesAsync(old, [.. Enumerable.Repeat((byte)1, 32)]);
        await File.WriteAllBytesAsync(present, [.. Enumerable.Repeat((byte)2, 32)]);
        using var adapter = new CassandraAdapter(o => o.DeviceKeyFile = old);
        DeviceIdentity[] devices = [.. Enumerable.Range(0, 7).Select(i => Identity($"pump-{i}"))];
        await adapter.Get<IIdentityStore>().CreateManyAsync(devices[..5]);

        adapter.Reopen(o => (o.DeviceKeyFile, o.OtherDeviceKeyFile) = (present, old));
        var store = adapter.Get<IIdentityStore>();
        Assert.That(await store.FindAsync("pump-1"), Is.EqualTo(devices[1]));
        await store.CreateAsync(devices[5]);

        // One that was not started anew with the new key in the first place, as long as it knows of it.
        adapter.Reopen(o => (o.DeviceKeyFile, o.OtherDeviceKeyFile) = (old, present));
        await adapter.Get<IIdentityStore>().CreateAsync(devices[6]);
        Assert.That((await adapter.Get<IIdentityStore>().ListAsync(DeviceFilter.All, 10, null)).Items,
            Is.EqualTo(devices));

        adapter.Reopen(o => (o.DeviceKeyFile, o.OtherDeviceKeyFile) = (present, old));
        store = adapter.Get<IIdentityStore>();
        var first = await store.RenewKeysAsync(4, null);
        var last = await store.RenewKeysAsync(4, first.Continuation);
        Assert.That((first.Renewed, first.Left, first.Continuation is null), Is.EqualTo((4, 0, false)));
        Assert.That(last, Is.EqualTo(new KeyRenewal(2, 0, null)));
        await store.AllKeysRenewedAsync();

        adapter.Reopen(o => o.DeviceKeyFile = present);
        Assert.That((await adapter.Get<IIdentityStore>().ListAsync(DeviceFilter.All, 10, null)).Items,
            Is.EqualTo(devices));
        adapter.Reopen(o => o.DeviceKeyFile = old);
        var refused = Assert.ThrowsAsync<MillraceException>(
            async () => await adapter.Get<IIdentityStore>().FindAsync("pump-1"));
        Assert.That(refused!.Error.Definition, Is.EqualTo(StoreErrors.DeviceKeyFileInvalid));
    }

    private static DeviceIdentity Identity(string id) => new()
    {
        DeviceId = id,
        GenerationId = "g",
        PrimaryKey = "cHJpbWFyeQ==",
        SecondaryKey = "c2Vjb25k",
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
