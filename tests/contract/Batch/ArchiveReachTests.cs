using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Millrace.Archiver;
using Millrace.Archiver.Upkeep;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Delta;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>What the archiver records of retention is what the cold path looks at.</summary>
[TestFixture]
public sealed class ArchiveReachTests
{
    [Test]
    public async Task A_part_cannot_be_made_anew_when_retention_took_telemetry_of_its_time()
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(folder.Path))
            .AddFileObjectStore()
            .AddMetrics()
            .BuildServiceProvider();
        var store = services.GetRequiredService<IObjectStore>();
        var meters = services.GetRequiredService<IMeterFactory>();
        await SampleArchive.WriteAsync(store);
        using var reach = new ArchiveReach(
            store, Options.Create(new DeltaTableOptions()), new ColdPathMetrics(meters), TimeProvider.System);
        var part = TimePart.Of(JobPart.Hour, SampleArchive.Start);
        Task CheckAsync(TimePart part) => reach.CheckAsync(BuiltInJobs.Catalog.Get("downsampling"), part, default);
        await CheckAsync(part);

        var metrics = new ArchiverMetrics(meters, new ArchiverStatus());
        using var archive = new ArchiveTable(new DeltaTable(store, TelemetryTable.Root, TimeProvider.System), metrics,
            NullLogger<ArchiveTable>.Instance);
        await new ArchiveRetention(metrics, TimeProvider.System, NullLogger<ArchiveRetention>.Instance)
            .RunAsync(archive, TimeProvider.System.GetUtcNow() - SampleArchive.Start.AddHours(1), default);

        Assert.That(() => CheckAsync(part), Throws.InstanceOf<MillraceException>()
            .With.Property("Error").Property("Code").EqualTo("CP-0017"));
        await CheckAsync(TimePart.Of(JobPart.Hour, SampleArchive.Start.AddHours(1)));
    }
}
