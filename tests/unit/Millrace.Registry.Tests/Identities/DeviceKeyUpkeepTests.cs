using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.EventLog;
using Millrace.Hosting;
using Millrace.Stores.Identities;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Registry.Tests.Identities;

public class DeviceKeyUpkeepTests
{
    [Test]
    public async Task A_registry_that_starts_with_two_keys_puts_all_devices_under_the_first()
    {
        using var folder = new TemporaryFolder();
        var (old, present) = (folder.Sub("old.key"), folder.Sub("present.key"));
        await File.WriteAllBytesAsync(old, [.. Enumerable.Repeat((byte)1, 32)]);
        await File.WriteAllBytesAsync(present, [.. Enumerable.Repeat((byte)2, 32)]);
        var devices = Enumerable.Range(0, 25).Select(i => Device($"pump-{i:D2}")).ToList();
        using (var host = Open(folder, ("Stores:DeviceKeyFile", old)))
            await host.Services.GetRequiredService<IIdentityStore>().CreateManyAsync(devices);

        var renewed = 0L;
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref renewed, value));
        listener.EnableMeasurementEvents(RegistryMetrics.KeysRenewed);
        listener.Start();
        using (var host = Open(folder, ("Stores:DeviceKeyFile", present), ("Stores:OtherDeviceKeyFile", old),
            ("Registry:PageDevicesMax", "10")))
        {
            await host.StartAsync();
            await Eventually.TrueAsync(() => Interlocked.Read(ref renewed) >= 25, "all are under the new key");
            await host.StopAsync();
        }

        using var again = Open(folder, ("Stores:DeviceKeyFile", present));
        var found = await again.Services.GetRequiredService<IIdentityStore>().ListAsync(DeviceFilter.All, 100, null);
        Assert.That(found.Items, Is.EqualTo(devices));
    }

    private static IHost Open(TemporaryFolder folder, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new DataFolder(folder.Path));
        builder.Services.AddLocalEventLog();
        builder.Services.AddSqliteStores();
        builder.Services.AddMillraceRegistry();
        return builder.Build();
    }

    private static DeviceIdentity Device(string id) => new()
    {
        DeviceId = id,
        GenerationId = "g",
        PrimaryKey = "cHJpbWFyeQ==",
        SecondaryKey = "c2Vjb25k",
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
