using System.Text;
using Millrace.Primitives;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Stores.Tests.Identities;

public class DeviceKeyFileTests
{
    private static readonly DeviceIdentity Pump = new()
    {
        DeviceId = "pump",
        GenerationId = "g",
        PrimaryKey = "cHJpbWFyeS1rZXk=",
        SecondaryKey = "c2Vjb25kYXJ5LWtleQ==",
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    private TemporaryFolder _folder = null!;

    private string KeyFile => _folder.Sub("secrets/device-keys.key");

    [SetUp]
    public void Make() => _folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task The_first_start_makes_a_key_file_for_its_owner_alone_and_later_ones_use_it()
    {
        using (var host = StoreHost.Open(_folder.Path)) await host.Get<IIdentityStore>().CreateAsync(Pump);
        var key = File.ReadAllBytes(KeyFile);
        Assert.That(key, Has.Length.EqualTo(32));
        Assert.That(key, Is.Not.EqualTo(new byte[32]));
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Assert.That(File.GetUnixFileMode(KeyFile), Is.EqualTo(owner));
            Assert.That(File.GetUnixFileMode(_folder.Sub("platform.db")), Is.EqualTo(owner));
        }

        using var again = StoreHost.Open(_folder.Path);
        Assert.That(await again.Get<IIdentityStore>().FindAsync("pump"), Is.EqualTo(Pump));
        Assert.That(File.ReadAllBytes(KeyFile), Is.EqualTo(key));
    }

    [Test]
    public async Task Keys_are_nowhere_in_the_files_as_they_are()
    {
        using (var host = StoreHost.Open(_folder.Path))
        {
            await host.Get<IIdentityStore>().CreateAsync(Pump);
            AssertNowhere();
        }

        AssertNowhere();
    }

    [Test]
    public async Task Another_file_may_hold_the_key()
    {
        var file = _folder.Sub("elsewhere.key");
        File.WriteAllBytes(file, [.. Enumerable.Repeat((byte)7, 32)]);
        using (var host = StoreHost.Open(_folder.Path, ("DeviceKeyFile", file)))
            await host.Get<IIdentityStore>().CreateAsync(Pump);

        Assert.That(File.Exists(KeyFile), Is.False);
        using var again = StoreHost.Open(_folder.Path, ("DeviceKeyFile", file));
        Assert.That(await again.Get<IIdentityStore>().FindAsync("pump"), Is.EqualTo(Pump));
    }

    [Test]
    public async Task A_key_file_that_is_missing_under_devices_is_not_made_anew()
    {
        using (var host = StoreHost.Open(_folder.Path)) await host.Get<IIdentityStore>().CreateAsync(Pump);
        File.Delete(KeyFile);

        using var again = StoreHost.Open(_folder.Path);
        Assert.That(CodeOf(() => again.Get<IIdentityStore>()), Is.EqualTo("ST-0003"));
        Assert.That(File.Exists(KeyFile), Is.False);
    }

    [Test]
    public async Task Of_many_who_make_it_at_once_all_have_the_one_that_stays()
    {
        for (var round = 0; round < 200; round++)
        {
            var path = _folder.Sub($"{round}.key");
            using var together = new Barrier(4);
            var fingerprints = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
            {
                together.SignalAndWait();
                return DeviceKeyFile.Open(path, mayMake: true).Fingerprint;
            }, TaskCreationOptions.LongRunning)));
            Assert.That(fingerprints, Has.All.EqualTo(DeviceKeyFile.Open(path, mayMake: false).Fingerprint));
        }

        Assert.That(Directory.GetFiles(_folder.Path), Has.Length.EqualTo(200), "nothing unfinished is left");
    }

    [Test]
    public void A_key_file_of_another_length_is_told()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        File.WriteAllBytes(KeyFile, new byte[31]);
        using var host = StoreHost.Open(_folder.Path);
        Assert.That(CodeOf(() => host.Get<IIdentityStore>()), Is.EqualTo("ST-0003"));
    }

    [Test]
    public async Task Keys_go_under_another_key_and_are_read_all_the_while()
    {
        var (old, present) = (_folder.Sub("old.key"), _folder.Sub("present.key"));
        File.WriteAllBytes(old, [.. Enumerable.Repeat((byte)1, 32)]);
        File.WriteAllBytes(present, [.. Enumerable.Repeat((byte)2, 32)]);
        var devices = Enumerable.Range(0, 5).Select(i => Pump with { DeviceId = $"pump-{i}" }).ToList();
        using (var host = StoreHost.Open(_folder.Path, ("DeviceKeyFile", old)))
            await host.Get<IIdentityStore>().CreateManyAsync(devices);

        using (var host = StoreHost.Open(_folder.Path, ("DeviceKeyFile", present), ("OtherDeviceKeyFile", old)))
        {
            var store = host.Get<IIdentityStore>();
            Assert.That((await store.ListAsync(DeviceFilter.All, 10, null)).Items, Is.EqualTo(devices));
            var first = await store.RenewKeysAsync(3, null);
            Assert.That((first.Renewed, first.Left, first.Continuation is null), Is.EqualTo((3, 0, false)));
            var last = await store.RenewKeysAsync(3, first.Continuation);
            Assert.That(last, Is.EqualTo(new KeyRenewal(2, 0, null)));
            Assert.That(await store.RenewKeysAsync(10, null), Is.EqualTo(new KeyRenewal(0, 0, null)));
            await store.AllKeysRenewedAsync();
        }

        using var again = StoreHost.Open(_folder.Path, ("DeviceKeyFile", present), ("OtherDeviceKeyFile", "missing"));
        Assert.That((await again.Get<IIdentityStore>().ListAsync(DeviceFilter.All, 10, null)).Items,
            Is.EqualTo(devices));
        Assert.That(await again.Get<IIdentityStore>().RenewKeysAsync(10, null), Is.EqualTo(default(KeyRenewal)));
    }

    [Test]
    public async Task Keys_that_are_under_neither_are_left_and_counted()
    {
        using (var host = StoreHost.Open(_folder.Path)) await host.Get<IIdentityStore>().CreateAsync(Pump);
        var (other, present) = (_folder.Sub("other.key"), _folder.Sub("present.key"));
        File.WriteAllBytes(other, new byte[32]);
        File.WriteAllBytes(present, [.. Enumerable.Repeat((byte)2, 32)]);
        using (var host = StoreHost.Open(_folder.Path, ("DeviceKeyFile", present), ("OtherDeviceKeyFile", other)))
        {
            Assert.That(await host.Get<IIdentityStore>().RenewKeysAsync(10, null),
                Is.EqualTo(new KeyRenewal(0, 1, null)));
        }

        using var again = StoreHost.Open(_folder.Path);
        Assert.That(await again.Get<IIdentityStore>().FindAsync("pump"), Is.EqualTo(Pump));
    }

    private static string CodeOf(Action action) => Assert.Throws<MillraceException>(() => action())!.Error.Code;

    private void AssertNowhere()
    {
        foreach (var file in Directory.EnumerateFiles(_folder.Path))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.That(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Pump.PrimaryKey)), Is.EqualTo(-1), file);
            Assert.That(bytes.AsSpan().IndexOf(Convert.FromBase64String(Pump.PrimaryKey)), Is.EqualTo(-1), file);
        }
    }
}
