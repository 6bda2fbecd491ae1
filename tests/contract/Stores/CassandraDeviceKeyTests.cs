using Millrace.Primitives;
using Millrace.Stores;
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
