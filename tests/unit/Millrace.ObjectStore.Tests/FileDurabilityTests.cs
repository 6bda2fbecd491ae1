using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Millrace.ObjectStore.Files;
using Millrace.TestKit;

namespace Millrace.ObjectStore.Tests;

/// <summary>
/// The power is cut at every operation: what was acknowledged is there, and nothing is there by half.
/// </summary>
public sealed class FileDurabilityTests
{
    [Test]
    public async Task Whatever_was_acknowledged_is_there_after_a_power_cut([Range(1, 60)] int dieAt)
    {
        using var folder = new TemporaryFolder();
        var root = Directory.CreateDirectory(folder.Sub("disk")).FullName;
        var disk = new ForgetfulDisk(root, dieAt);
        var acknowledged = new Dictionary<string, string>();
        var tried = new Dictionary<string, List<string?>>();
        try
        {
            var store = Open(root, disk);
            for (var step = 0; step < 12; step++)
            {
                var key = $"f{step % 3}/g/{step % 4}";
                var content = $"content {step}";
                if (!tried.TryGetValue(key, out var contents)) tried[key] = contents = [null];
                contents.Add(content);
                if (step % 2 == 0)
                {
                    await store.PutAsync(key, Encoding.UTF8.GetBytes(content));
                    acknowledged[key] = content;
                }
                else if (await store.PutIfAbsentAsync(key, Encoding.UTF8.GetBytes(content)))
                {
                    acknowledged[key] = content;
                }
            }
        }
        catch (ForgetfulDisk.PowerCutException)
        {
            // What the test is about.
        }

        var recovered = folder.Sub("recovered");
        Directory.CreateDirectory(recovered);
        disk.RecoverTo(recovered, new Random(dieAt));
        var after = Open(recovered, new PosixDisk());
        foreach (var (key, contents) in tried)
        {
            var bytes = await after.GetAsync(key);
            var found = bytes is null ? null : Encoding.UTF8.GetString(bytes);
            Assert.That(contents, Does.Contain(found), $"{key} is whole or as before");
            if (acknowledged.TryGetValue(key, out var content))
                Assert.That(contents.IndexOf(found), Is.GreaterThanOrEqualTo(contents.IndexOf(content)), key);
        }

        await foreach (var info in after.ListAsync("")) Assert.That(tried.Keys, Does.Contain(info.Key));
    }

    [Test]
    public async Task What_a_crash_left_unfinished_is_removed_when_it_is_old()
    {
        using var folder = new TemporaryFolder();
        var unfinished = folder.Sub(FileObjectStore.UnfinishedFolder);
        Directory.CreateDirectory(unfinished);
        var old = Path.Combine(unfinished, "old");
        var fresh = Path.Combine(unfinished, "fresh");
        await File.WriteAllTextAsync(old, "half");
        await File.WriteAllTextAsync(fresh, "another process writes this");
        File.SetLastWriteTimeUtc(old, (TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(2)).UtcDateTime);

        var store = Open(folder.Path, new PosixDisk());

        Assert.That(Directory.GetFiles(unfinished), Is.EqualTo(new[] { fresh }));
        await foreach (var info in store.ListAsync("")) Assert.Fail($"{info.Key} is listed");
    }

    [Test]
    public async Task Several_processes_race_for_a_key_and_one_wins()
    {
        using var folder = new TemporaryFolder();
        var stores = Enumerable.Range(0, 4).Select(_ => Open(folder.Path, new PosixDisk())).ToArray();
        for (var round = 0; round < 50; round++)
        {
            var key = $"_log/{round:D5}.json";
            var won = await Task.WhenAll(stores.Select((store, i) => Task.Run(
                async () => await store.PutIfAbsentAsync(key, Encoding.UTF8.GetBytes($"{i}")))));

            Assert.That(won.Count(mine => mine), Is.EqualTo(1));
            var content = Encoding.UTF8.GetString((await stores[0].GetAsync(key))!);
            Assert.That(content, Is.EqualTo($"{Array.IndexOf(won, true)}"));
        }
    }

    [Test]
    public void A_folder_that_cannot_be_made_stops_the_start()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Sub("file"), "in the way");

        Assert.That(() => Open(Path.Combine(folder.Sub("file"), "archive"), new PosixDisk()),
            Throws.InstanceOf<Primitives.MillraceException>().With.Message.StartsWith("OB-0003"));
    }

    private static FileObjectStore Open(string root, IDisk disk) => FileObjectStore.Open(
        root, TimeSpan.FromHours(1), disk, TimeProvider.System, new ObjectStoreMetrics(
            new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()));
}
