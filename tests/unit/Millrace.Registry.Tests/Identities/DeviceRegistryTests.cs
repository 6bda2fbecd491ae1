using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Registry.Identities;
using Millrace.Stores.Audit;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Tests.Identities;

public class DeviceRegistryTests
{
    private const string Thumbprint = "ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789";

    private RegistryFixture _fixture = null!;
    private DeviceRegistry _registry = null!;

    [SetUp]
    public async Task Start()
    {
        _fixture = await RegistryFixture.StartAsync();
        _registry = _fixture.Get<DeviceRegistry>();
    }

    [TearDown]
    public async Task Stop() => await _fixture.DisposeAsync();

    [Test]
    public async Task A_new_device_has_two_keys_of_its_own_and_a_generation()
    {
        var one = await _registry.CreateAsync(new NewDevice("one"), "me");
        var two = await _registry.CreateAsync(new NewDevice("two"), "me");

        var keys = new[] { one.PrimaryKey, one.SecondaryKey, two.PrimaryKey, two.SecondaryKey };
        Assert.That(keys, Is.Unique);
        Assert.That(keys.Select(k => Convert.FromBase64String(k).Length), Is.All.EqualTo(32));
        Assert.That(one.GenerationId, Is.Not.EqualTo(two.GenerationId));
        Assert.That((one.Status, one.Version), Is.EqualTo((DeviceStatus.Enabled, 1L)));
    }

    [Test]
    public async Task Each_change_is_told_to_followers_and_gateways_and_written_down()
    {
        var made = await _registry.CreateAsync(new NewDevice("pump"), "me");
        await _registry.SetStatusAsync("pump", DeviceStatus.Disabled, "stolen", null, "you");
        await _registry.RegenerateKeysAsync("pump", DeviceKeys.Both, null, "me");
        await _registry.DeleteAsync("pump", null, "me");

        var told = await _fixture.ReadAsync(Topics.Lifecycle, ContractJson.Default.LifecycleEvent);
        Assert.That(told.Select(e => e.Kind), Is.EqualTo(new[]
        {
            LifecycleKind.Created, LifecycleKind.Updated, LifecycleKind.Updated, LifecycleKind.Deleted,
        }));
        Assert.That(told.Select(e => e.GenerationId), Is.All.EqualTo(made.GenerationId));
        var notices = await _fixture.ReadAsync(Topics.Control, ContractJson.Default.ControlNotice);
        Assert.That(notices, Is.EqualTo(Enumerable.Repeat(new ControlNotice(ControlKinds.Device, "pump"), 4)));
        var audit = await _fixture.Get<IAuditStore>().ListAsync(10, null);
        Assert.That(audit.Items.Reverse().Select(e => (e.Actor, e.Action, e.Subject)), Is.EqualTo(new[]
        {
            ("me", "device.create", "pump"), ("you", "device.disable", "pump"), ("me", "device.keys.both", "pump"),
            ("me", "device.delete", "pump"),
        }));
    }

    [Test]
    public async Task A_lifecycle_record_is_in_the_partition_of_its_device()
    {
        var ids = Enumerable.Range(0, 40).Select(i => $"device-{i}").ToList();
        await _registry.CreateManyAsync([.. ids.Select(id => new NewDevice(id))], "me");

        var log = _fixture.Get<EventLog.IEventLog>();
        var found = new List<string>();
        for (var partition = 0; partition < 4; partition++)
        {
            await using var reader = log.OpenReader(new TopicPartition(Topics.Lifecycle, partition), 0);
            while (await reader.TryReadAsync() is { } batch)
            {
                foreach (var record in batch)
                {
                    Assert.That(Partitioner.PartitionOf(record.Key, 4), Is.EqualTo(partition));
                    found.Add(System.Text.Encoding.UTF8.GetString(record.Key));
                }
            }
        }

        Assert.That(found, Is.EquivalentTo(ids));
    }

    [Test]
    public async Task Of_many_devices_those_that_exist_are_left_as_they_are()
    {
        var old = await _registry.CreateAsync(new NewDevice("b"), "me");
        var existing = await _registry.CreateManyAsync([new("a"), new("b"), new("c")], "me");

        Assert.That(existing, Is.EqualTo(new[] { "b" }));
        Assert.That((await _registry.GetAsync("b")).PrimaryKey, Is.EqualTo(old.PrimaryKey));
        var told = await _fixture.ReadAsync(Topics.Control, ContractJson.Default.ControlNotice);
        Assert.That(told.Select(n => n.Id), Is.EqualTo(new[] { "b", "a", "c" }));
    }

    [Test]
    public async Task A_device_twice_in_one_request_makes_none()
    {
        Assert.That(Code(() => _registry.CreateManyAsync([new("a"), new("b"), new("a")], "me")), Is.EqualTo("RG-0007"));
        Assert.That((await _registry.ListAsync(DeviceFilter.All, 10, null)).Items, Is.Empty);
    }

    [Test]
    public async Task Changes_that_race_are_all_made_when_nobody_names_a_version()
    {
        await _registry.CreateAsync(new NewDevice("pump"), "me");
        var names = Enumerable.Range(0, 16).Select(i => $"t{i}").ToList();
        await Task.WhenAll(names.Select(name => Task.Run(async () => await _registry.UpdateAsync(
            "pump", DeviceChange.Read(Json("{\"tags\":{\"" + name + "\":1}}")), null, "me"))));

        var device = await _registry.GetAsync("pump");
        Assert.That(Json(device.TagsJson).EnumerateObject().Select(p => p.Name), Is.EquivalentTo(names));
        Assert.That(device.Version, Is.EqualTo(17));
    }

    [Test]
    public async Task Of_changes_that_race_on_one_version_one_wins()
    {
        var made = await _registry.CreateAsync(new NewDevice("pump"), "me");
        var codes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                await _registry.UpdateAsync("pump", new DeviceChange(StatusReason: $"{i}"),
                    new ExpectedDevice(made.GenerationId, 1), "me");
                return "won";
            }
            catch (MillraceException e)
            {
                return e.Error.Code;
            }
        })));

        Assert.That(codes.Count(c => c == "won"), Is.EqualTo(1));
        Assert.That(codes.Count(c => c == "RG-0003"), Is.EqualTo(7));
    }

    [TestCase(DeviceKeys.Primary, true, false)]
    [TestCase(DeviceKeys.Secondary, false, true)]
    [TestCase(DeviceKeys.Both, true, true)]
    public async Task Regenerating_makes_the_named_keys_anew(DeviceKeys which, bool primary, bool secondary)
    {
        var before = await _registry.CreateAsync(new NewDevice("pump"), "me");
        await _registry.RegenerateKeysAsync("pump", which, null, "me");

        var after = await _registry.GetAsync("pump");
        Assert.That(after.PrimaryKey != before.PrimaryKey, Is.EqualTo(primary));
        Assert.That(after.SecondaryKey != before.SecondaryKey, Is.EqualTo(secondary));
    }

    [Test]
    public async Task Swapping_exchanges_the_keys()
    {
        var before = await _registry.CreateAsync(new NewDevice("pump"), "me");
        var after = await _registry.RegenerateKeysAsync("pump", DeviceKeys.Swap, null, "me");
        Assert.That((after.PrimaryKey, after.SecondaryKey), Is.EqualTo((before.SecondaryKey, before.PrimaryKey)));
    }

    [Test]
    public async Task A_device_moves_from_keys_to_a_certificate_and_back_to_new_keys()
    {
        var before = await _registry.CreateAsync(new NewDevice("pump"), "me");
        var byCertificate = new DeviceChange(Authentication: DeviceAuthentication.Thumbprints);
        Assert.That(Code(() => _registry.UpdateAsync("pump", byCertificate, null, "me")), Is.EqualTo("RG-0005"));

        await _registry.UpdateAsync("pump", byCertificate with { PrimaryThumbprint = Thumbprint }, null, "me");
        var moved = await _registry.GetAsync("pump");
        Assert.That((moved.PrimaryKey, moved.SecondaryKey, moved.PrimaryThumbprint), Is.EqualTo(("", "", Thumbprint)));
        Assert.That(Code(() => _registry.RegenerateKeysAsync("pump", DeviceKeys.Both, null, "me")),
            Is.EqualTo("RG-0007"));

        var back = await _registry.UpdateAsync(
            "pump", new DeviceChange(Authentication: DeviceAuthentication.Keys, PrimaryThumbprint: ""), null, "me");
        Assert.That(back.PrimaryKey, Has.Length.GreaterThan(40).And.Not.EqualTo(before.PrimaryKey));
        Assert.That(back.PrimaryThumbprint, Is.Null);
    }

    [Test]
    public async Task A_thumbprint_is_taken_as_openssl_prints_it()
    {
        var printed = string.Join(':', Thumbprint.ToLowerInvariant().Chunk(2).Select(c => new string(c)));
        var device = await _registry.CreateAsync(new NewDevice("cam", SecondaryThumbprint: printed), "me");
        Assert.That((device.Authentication, device.SecondaryThumbprint),
            Is.EqualTo((DeviceAuthentication.Thumbprints, Thumbprint)));
    }

    [Test]
    public void What_a_device_cannot_be_is_refused_by_its_code()
    {
        var key = Convert.ToBase64String(new byte[32]);
        Assert.Multiple(() =>
        {
            Refuses("MR-0001", new NewDevice(""));
            Refuses("MR-0001", new NewDevice("a/b"));
            Refuses("RG-0007", new NewDevice(".."));
            Refuses("RG-0004", new NewDevice("d", PrimaryKey: "short"));
            Refuses("RG-0004", new NewDevice("d", SecondaryKey: Convert.ToBase64String(new byte[15])));
            Refuses("RG-0004", new NewDevice("d", PrimaryKey: Convert.ToBase64String(new byte[65])));
            Refuses("RG-0005", new NewDevice("d", PrimaryThumbprint: "AB"));
            Refuses("RG-0005", new NewDevice("d", Authentication: DeviceAuthentication.Thumbprints));
            Refuses("RG-0007", new NewDevice("d", PrimaryKey: key, PrimaryThumbprint: Thumbprint));
            Refuses("RG-0007", new NewDevice("d", StatusReason: new string('x', 257)));
            Refuses("RG-0007", new NewDevice("d", Status: (DeviceStatus)7));
            Refuses("RG-0006", new NewDevice("d", Tags: Json("[]")));
        });

        void Refuses(string code, NewDevice device) =>
            Assert.That(Code(() => _registry.CreateAsync(device, "me")), Is.EqualTo(code));
    }

    [Test]
    public async Task A_device_whose_stored_key_was_tampered_with_is_listed_and_can_be_deleted()
    {
        await _registry.CreateManyAsync([new("a"), new("b")], "me");
        Tamper("UPDATE identities SET primary_key = (SELECT secondary_key FROM identities WHERE device = 'b') " +
            "WHERE device = 'b'");

        Assert.That(Code(() => _registry.GetAsync("b")), Is.EqualTo("ST-0004"));
        var listed = (await _registry.ListAsync(DeviceFilter.All, 10, null)).Items;
        Assert.That(listed.Select(i => (i.DeviceId, i.PrimaryKey.Length > 0)),
            Is.EqualTo(new[] { ("a", true), ("b", false) }));
        await _registry.DeleteAsync("b", null, "me");
        Assert.That(await _registry.FindAsync("b"), Is.Null);
    }

    private void Tamper(string sql)
    {
        using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(_fixture.Folder, "platform.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.That(command.ExecuteNonQuery(), Is.EqualTo(1));
    }

    private static string Code<T>(Func<ValueTask<T>> action) =>
        Assert.ThrowsAsync<MillraceException>(async () => await action())!.Error.Code;

    private static System.Text.Json.JsonElement Json(string text) => System.Text.Json.JsonElement.Parse(text);
}
