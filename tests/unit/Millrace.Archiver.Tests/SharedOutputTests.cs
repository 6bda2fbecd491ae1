using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.ObjectStore;
using Millrace.TestKit.Servers;

namespace Millrace.Archiver.Tests;

/// <summary>
/// Two archivers that both believe that an output's partitions are theirs, over files and over a real S3 store: the
/// table's commits alone decide.
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class SharedOutputTests(bool isS3)
{
    private S3Servers? _servers;
    private ServiceProvider? _store;
    private ArchiverHarness _archive = null!;
    private OutputHarness _output = null!;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness(isS3 ? await BucketAsync() : null).With("RollRows", "7")
            .With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        _output = new OutputHarness(_archive, "Hot-Devices");
    }

    [TearDown]
    public async Task Remove()
    {
        if (_archive is not null) await _archive.DisposeAsync();
        if (_store is not null) await _store.DisposeAsync();
        if (_servers is not null) await _servers.DisposeAsync();
    }

    [Test]
    public async Task Each_row_that_counts_is_there_once()
    {
        var expected = new List<string>();
        await _archive.StartAsync();
        await _archive.StartTwinAsync();
        await _output.ApplyAsync(isArchived: true);
        for (var epoch = 1L; epoch <= 4; epoch++)
        {
            for (var partition = 0; partition < ArchiverHarness.Partitions; partition++)
                await _output.FenceAsync(partition, epoch);
            for (var i = 0; i < 30; i++)
            {
                var partition = i % ArchiverHarness.Partitions;
                expected.Add($"{epoch}-{i:D2}");
                await _output.RowAsync(partition, epoch, expected[^1], "{}", $"pump-{partition}");
                if (i % 5 == 0) await _output.RowAsync(partition, epoch - 1, $"stale-{expected[^1]}", "{}");
            }
        }

        await _output.CaughtUpAsync();

        Assert.That(await _output.RowIdsAsync(), Is.EqualTo(expected));
        var parts = await ArchiveChecks.RunAsync(_archive, _archive.Get<ArchiveTables>().Output("Hot-Devices"));
        Assert.That(parts.SelectMany(part => part.Examples), Is.Empty);
        Assert.That(parts.Sum(part => part.ArchiveRows), Is.EqualTo(expected.Count));
        Assert.That(parts.Sum(part => part.Fenced), Is.EqualTo((4 * ArchiverHarness.Partitions) + 24));
    }

    private async Task<IObjectStore> BucketAsync()
    {
        (_servers, var reason) = await S3Servers.FindAsync();
        if (_servers is null) Assert.Ignore(reason);
        _store = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(_servers!.Settings($"archiver-{Guid.NewGuid():N}")).Build())
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder("unused"))
            .AddS3Options()
            .AddS3ObjectStore()
            .BuildServiceProvider();
        await _store.GetRequiredService<IAwaitedServer>().AnswersAsync(CancellationToken.None);
        return _store.GetRequiredService<IObjectStore>();
    }
}
