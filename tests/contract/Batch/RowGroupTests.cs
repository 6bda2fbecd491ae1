using System.Text;
using CsCheck;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Contracts;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Contract.Tests.Batch;

/// <summary>Without local files DuckDB reads the row groups that may have what is asked for, and no others.</summary>
[TestFixture]
[Category("Samples")]
public sealed class RowGroupTests
{
    private const int Devices = 20;
    private const int MessagesEach = 1_000;
    private const int RowGroupRows = 500;
    private const string Device = "device-07";

    private const string Readings = "SELECT count(*) AS n, CAST(sum(log_offset) AS BIGINT) AS s, "
        + "max(temperature) AS t, CAST(sum(octet_length(body)) AS BIGINT) AS b FROM telemetry WHERE ";

    private static readonly Dictionary<string, object?> Parameters = new()
    {
        ["device"] = Device,
        ["from"] = SampleArchive.Start,
        ["to"] = SampleArchive.Start.AddMinutes(15),
    };

    private readonly List<ServiceProvider> _services = [];
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task Remove()
    {
        foreach (var services in _services) await services.DisposeAsync();
        _services.Clear();
        _folder.Dispose();
    }

    [Test]
    public Task A_device_is_read_from_the_row_groups_that_may_have_it() =>
        ReadOneDeviceAsync(TestObjectStores.Files(_folder.Path));

    [Test]
    public async Task So_it_is_in_a_bucket_of_S3()
    {
        await using var services = await S3Node.OpenAsync();
        await ReadOneDeviceAsync(services.GetRequiredService<IObjectStore>());
    }

    [Test]
    public async Task A_row_group_that_was_passed_over_is_read_when_another_statement_needs_it()
    {
        var files = TestObjectStores.Files(_folder.Path);
        using (var records = Records()) await SampleArchive.WriteTelemetryAsync(files, records, RowGroupRows);
        var (engine, store) = OpenRemote(files);
        const string count = "SELECT count(*) AS n, max(octet_length(body)) > 0 AS b FROM telemetry WHERE device_id ";
        const int all = Devices * MessagesEach;
        const int others = all - MessagesEach;

        Assert.That(await RowsAsync(engine, count + "= 'device-00'"), Is.EqualTo(new[] { $"{MessagesEach}|true" }));
        Assert.That(await RowsAsync(engine, count + "= 'none'"), Is.EqualTo(new[] { "0|null" }));
        Assert.That(await RowsAsync(engine, count + "= 'device-05x'"), Is.EqualTo(new[] { "0|null" }), "between two");
        Assert.That(await RowsAsync(engine, count + "> 'device-00'"), Is.EqualTo(new[] { $"{others}|true" }));
        Assert.That(await RowsAsync(engine, count + "<> ''"), Is.EqualTo(new[] { $"{all}|true" }));
        var read = store.BytesRead;
        Assert.That(await RowsAsync(engine, count + "<> ''"), Is.EqualTo(new[] { $"{all}|true" }));
        Assert.That(store.BytesRead, Is.EqualTo(read), "it is all there");
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public async Task Whatever_is_asked_for_the_answer_is_that_of_all_rows(int seed)
    {
        var files = TestObjectStores.Files(_folder.Path);
        await RandomTable.WriteAsync(files, seed);
        var (remote, local) = (OpenRemote(files).Engine, Open(files));

        await RandomTable.Condition.SampleAsync(async condition =>
        {
            var sql = "SELECT count(*) AS n, CAST(sum(id) AS BIGINT) AS s, min(name) AS a, "
                + $"CAST(sum(length(filler)) AS BIGINT) AS f FROM {RandomTable.Name} WHERE {condition}";
            return (await RowsAsync(remote, sql)).SequenceEqual(await RowsAsync(local, sql));
        }, iter: Samples.Of(25), threads: 1);
    }

    private async Task ReadOneDeviceAsync(IObjectStore files)
    {
        using (var records = Records())
            await SampleArchive.WriteTelemetryAsync(files, records, RowGroupRows, "temperature");

        var (all, allBytes) = await ReadAsync(files, "upper(device_id) = upper($device)");
        var (device, deviceBytes) = await ReadAsync(files, "device_id = $device");
        var (quarter, quarterBytes) = await ReadAsync(
            files, "device_id = $device AND enqueued_at >= $from AND enqueued_at < $to");

        Assert.That(all, Does.StartWith($"{MessagesEach}|"));
        Assert.That(device, Is.EqualTo(all));
        Assert.That(quarter, Does.StartWith($"{MessagesEach / 4}|"));
        Assert.That(deviceBytes, Is.LessThan(allBytes / 8), "one of 20 devices");
        Assert.That(quarterBytes, Is.LessThan(deviceBytes), "one of its two row groups");
    }

    /// <summary>With nothing at hand: the only row, and the bytes that it took.</summary>
    private async Task<(string Row, long Bytes)> ReadAsync(IObjectStore files, string condition)
    {
        var (engine, store) = OpenRemote(files);
        return ((await RowsAsync(engine, Readings + condition, Parameters)).Single(), store.BytesRead);
    }

    /// <summary>An hour of some devices, with bodies that cannot be compressed well.</summary>
    private static RecordBatchBuilder Records()
    {
        var (records, random) = (new RecordBatchBuilder(), new Random(1));
        var noise = new byte[200];
        for (var i = 0; i < Devices * MessagesEach; i++)
        {
            var at = SampleArchive.Start.AddSeconds(3600.0 * (i / Devices) / MessagesEach);
            records.Begin(at.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes($"device-{i % Devices:D2}"));
            random.NextBytes(noise);
            records.End(Encoding.UTF8.GetBytes($"{{\"temperature\":{i},\"noise\":\"{Convert.ToHexString(noise)}\"}}"));
        }

        return records;
    }

    private (IBatchEngine Engine, RemoteObjectStore Store) OpenRemote(IObjectStore files)
    {
        var remote = new RemoteObjectStore(files);
        return (Open(remote), remote);
    }

    private IBatchEngine Open(IObjectStore store)
    {
        var folder = Directory.CreateDirectory(_folder.Sub($"engine-{_services.Count}"));
        _services.Add(new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(folder.FullName))
            .AddSingleton(store)
            .AddBatchOptions()
            .AddDuckDbBatch()
            .BuildServiceProvider());
        return _services[^1].GetRequiredService<IBatchEngine>();
    }

    private static async Task<List<string>> RowsAsync(
        IBatchEngine engine, string sql, IReadOnlyDictionary<string, object?>? parameters = null)
    {
        await using var result = await engine.QueryAsync(new BatchQuery(sql, parameters));
        return await ArrowText.RowsAsync(result);
    }
}
