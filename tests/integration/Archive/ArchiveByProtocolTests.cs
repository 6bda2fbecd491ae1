using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Archiver;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Archive;

/// <summary>What the archiver wrote is a Delta table to a reader that knows nothing of the platform.</summary>
public sealed class ArchiveByProtocolTests
{
    private const int Partitions = 4;
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 22, 30, 0, TimeSpan.Zero);

    [Test]
    public async Task A_reader_of_the_protocol_finds_each_row_of_the_log_once_as_it_was_sent()
    {
        using var folder = new TemporaryFolder();
        await using var log = LocalLog.Open(folder.Sub("log"));
        await log.EnsureTopicAsync(new TopicSpec(Topics.Telemetry, Partitions));
        await log.EnsureTopicAsync(new TopicSpec(Topics.DeadLetter, 1));
        await log.EnsureTopicAsync(new TopicSpec(Topics.Control, 1));
        var sent = new Dictionary<(int, long), string>();
        for (var life = 0; life < 3; life++)
        {
            await using var services = Services(folder.Path, log);
            var hosted = services.GetServices<IHostedService>()
                .Where(service => service.GetType().Assembly == typeof(ArchiverOptions).Assembly).ToList();
            foreach (var service in hosted) await service.StartAsync(CancellationToken.None);
            for (var i = 0; i < 40; i++) await SendAsync(log, (life * 40) + i, sent);
            foreach (var service in hosted.AsEnumerable().Reverse()) await service.StopAsync(CancellationToken.None);
        }

        var table = Path.Combine(folder.Path, "archive", "telemetry");
        var (rows, positions) = await IndependentDeltaReader.ReadAsync(table);
        var (byCheckpoint, byEntries) = (await IndependentDeltaLog.ReadAsync(table),
            await IndependentDeltaLog.ReadAsync(table, useCheckpoint: false));
        Assert.That(byCheckpoint.Checkpoint, Is.Not.Null);
        Assert.That(byCheckpoint.Files.Keys, Is.EquivalentTo(byEntries.Files.Keys));
        Assert.That(byCheckpoint.Positions, Is.EquivalentTo(byEntries.Positions));
        Assert.That(rows.Select(row => (row.Partition, row.Offset)), Is.Unique);
        Assert.That(rows.ToDictionary(row => (row.Partition, row.Offset), Describe), Is.EquivalentTo(sent));
        for (var partition = 0; partition < Partitions; partition++)
        {
            var next = (await log.RangeAsync(new TopicPartition(Topics.Telemetry, partition))).Next;
            Assert.That(positions.GetValueOrDefault($"telemetry/{partition}"), Is.EqualTo(next));
        }
    }

    private static ServiceProvider Services(string folder, IEventLog log) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Archiver:RollAge"] = "00:00:00.100",
            ["Archiver:RollRows"] = "100",
            ["Delta:CheckpointInterval"] = "2",
            ["Archiver:RowGroupRows"] = "1000",
            ["Archiver:PromotedColumns:0:Name"] = "temperature",
            ["Archiver:PromotedColumns:0:Path"] = "temperature",
        }).Build())
        .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
        .AddSingleton(TimeProvider.System)
        .AddSingleton(new DataFolder(folder))
        .AddSingleton(log)
        .AddSqliteStores()
        .AddFileObjectStore()
        .AddMillraceArchiver()
        .BuildServiceProvider();

    /// <summary>
    /// Ten messages of a device, over the turn of an hour and a day; every third without a temperature.
    /// </summary>
    private static async Task SendAsync(IEventLog log, int number, Dictionary<(int, long), string> sent)
    {
        var device = $"device-{number % 13}";
        var partition = Partitioner.PartitionOf(Encoding.UTF8.GetBytes(device), Partitions);
        using var records = new RecordBatchBuilder();
        var expected = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            var at = Start.AddMinutes((number * 10) + i);
            var temperature = i % 3 == 0 ? (double?)null : number + (i / 10.0);
            var body = temperature is null
                ? "not json"
                : string.Create(CultureInfo.InvariantCulture, $"{{\"temperature\":{temperature}}}");
            records.Begin(at.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(device));
            for (var property = 0; property < i % 3; property++)
                records.AddHeader(Encoding.UTF8.GetBytes($"app.p{property}"), Encoding.UTF8.GetBytes($"{i}"));
            records.End(Encoding.UTF8.GetBytes(body));
            var properties = string.Join(',', Enumerable.Range(0, i % 3).Select(property => $"p{property}={i}"));
            expected.Add($"{device} {at.UtcDateTime:O} {at:yyyy-MM-dd}/{at.Hour} {body} {temperature} {properties}");
        }

        var (first, _) = await log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), records);
        for (var i = 0; i < expected.Count; i++) sent.Add((partition, first + i), expected[i]);
    }

    private static string Describe(IndependentDeltaReader.Row row)
    {
        var at = DateTime.SpecifyKind(row.EnqueuedAt, DateTimeKind.Utc);
        var properties = string.Join(',', row.Properties.Select(pair => $"{pair.Key}={pair.Value}"));
        return $"{row.Device} {at:O} {row.Date}/{row.Hour} {row.Body} {row.Temperature} {properties}";
    }
}
