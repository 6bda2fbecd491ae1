using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Cql;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Integration.Tests.Survival;
using Millrace.ObjectStore;
using Millrace.TestKit;
using Millrace.TestKit.Servers;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// A query that joins with all kinds of reference data, in a platform whose stores are on a Cassandra node and whose
/// objects are in a bucket of a real S3 store.
/// </summary>
public class ReferenceDataTests
{
    private const string Keyspace = "reference_tests", Section = "Queries:Extensions:References";
    private const string Rooms = "reference/rooms.json";

    private readonly TemporaryFolder _folder = new();
    private readonly string _bucket = $"reference-{Guid.NewGuid():N}";
    private CassandraServers _cassandra = null!;
    private S3Servers _s3 = null!;
    private ServiceProvider _bucketServices = null!;

    private IObjectStore Objects => _bucketServices.GetRequiredService<IObjectStore>();

    [OneTimeSetUp]
    public async Task OpenAsync()
    {
        var (cassandra, noCassandra) = await CassandraServers.FindAsync();
        if (cassandra is null) Assert.Ignore(noCassandra);
        _cassandra = cassandra!;
        var (s3, noS3) = await S3Servers.FindAsync();
        if (s3 is null) Assert.Ignore(noS3);
        _s3 = s3!;
        _bucketServices = new ServiceCollection()
            .AddSingleton<IConfiguration>(
                new ConfigurationBuilder().AddInMemoryCollection(_s3.Settings(_bucket)).Build())
            .AddLogging().AddSingleton(TimeProvider.System).AddSingleton(new DataFolder("unused"))
            .AddS3Options().AddS3ObjectStore().BuildServiceProvider();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _bucketServices.GetRequiredService<IAwaitedServer>().AnswersAsync(limit.Token);
        await using var session = await CqlSession.ConnectAsync(
            new CqlOptions { ContactPoints = _cassandra.ContactPoints.Split(','), Port = _cassandra.Port });
        await session.ExecuteAsync(
            new SimpleStatement($"DROP KEYSPACE IF EXISTS {Keyspace}") { Timeout = TimeSpan.FromMinutes(2) });
    }

    [OneTimeTearDown]
    public async Task CloseAsync()
    {
        if (_bucketServices is not null) await _bucketServices.DisposeAsync();
        if (_s3 is not null) await _s3.DisposeAsync();
        if (_cassandra is not null) await _cassandra.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_row_meets_devices_an_object_an_output_and_latest_values_as_they_change_and_after_a_crash()
    {
        await PutAsync("""[{"id": 1, "name": "hall"}, {"id": 2, "name": "attic"}]""");
        await using var platform = new PlatformProcess(_folder.Path, Settings());
        await platform.StartAsync();
        using var pump = await platform.ConnectAsync("pump", await platform.RegisterAsync("pump"));
        using var outside = await platform.ConnectAsync("outside", await platform.RegisterAsync("outside"));
        await SendAsync(outside, 7);
        await platform.ApplyAsync("means",
            "SELECT IoTHub.ConnectionDeviceId AS d, v * 10 AS m INTO means FROM telemetry WHERE v < 100");
        await SendAsync(pump, 5);
        await RowAsync(platform, "means", row => Has(row, "d", "pump") && row.GetProperty("m").GetInt32() == 50);
        await platform.ApplyAsync("joined",
            """
            SELECT t.v, d.tags.floor, r.name, m.m, n.body.v AS outside INTO joined FROM telemetry t
            JOIN devices d ON t.IoTHub.ConnectionDeviceId = d.id
            JOIN rooms r ON t.v % 10 = r.id
            JOIN mean m ON t.IoTHub.ConnectionDeviceId = m.d
            JOIN now n ON n.id = 'outside'
            WHERE t.v > 100
            """);
        await JoinsAsync(platform, pump, 101, """{"floor":null,"name":"hall","m":50,"outside":7}""");

        await PutAsync("""[{"id": 1, "name": "cellar"}]""");
        await SendAsync(outside, 8);
        await SendAsync(pump, 6);
        using var tagged = await platform.Api.PatchAsJsonAsync("api/v1/devices/pump", new { tags = new { floor = 3 } });
        Assert.That(tagged.IsSuccessStatusCode, Is.True, await tagged.Content.ReadAsStringAsync());
        await JoinsAsync(platform, pump, 201, """{"floor":3,"name":"cellar","m":60,"outside":8}""");

        // What counts is part of the checkpoint, whatever becomes of the servers' content.
        await Objects.DeleteAsync(Rooms);
        await platform.KillAsync();
        await platform.StartAsync();
        using var again = await platform.ConnectAsync("pump", await KeyAsync(platform));
        await JoinsAsync(platform, again, 301, """{"floor":3,"name":"cellar","m":60,"outside":8}""");
        Assert.That(Directory.GetFiles(_folder.Path, "*.db", SearchOption.AllDirectories), Is.Empty);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, platform.Printed);
    }

    private (string, string)[] Settings() =>
    [
        ("Stores:Kind", "Cassandra"), ("Cassandra:ContactPoints", _cassandra.ContactPoints),
        ("Cassandra:Port", $"{_cassandra.Port}"), ("Cassandra:Keyspace", Keyspace),
        ("Cassandra:ReplicationFactor", "1"), ("Cassandra:RequestTimeout", "60s"),
        .. _s3.Settings(_bucket).Select(pair => (pair.Key, pair.Value!)),
        ("StreamProcessor:ReferenceInterval", "500ms"), ($"{Section}:rooms:Objects", Rooms),
        ($"{Section}:mean:Output", "means"), ($"{Section}:mean:Key:0", "d"), ($"{Section}:now:Latest", "true"),
    ];

    private async Task PutAsync(string rooms) => await Objects.PutAsync(Rooms, Encoding.UTF8.GetBytes(rooms));

    /// <summary>
    /// Sends rising values that meet the same until a row is as wanted: a change is taken some time after it was made.
    /// </summary>
    private static async Task JoinsAsync(PlatformProcess platform, IMqttClient device, int value, string wanted)
    {
        var sent = value - 10;
        await Eventually.TrueAsync(async () =>
        {
            await SendAsync(device, sent = Math.Min(sent + 10, value + 80));
            var rows = await RowsAsync(platform, "joined");
            return rows.Any(row => row.GetProperty("v").GetInt32() >= value && row.GetRawText().EndsWith(wanted[1..]));
        }, $"a row of {value} or later is {wanted}", TimeSpan.FromSeconds(90));
    }

    private static Task RowAsync(PlatformProcess platform, string output, Func<JsonElement, bool> isWanted) =>
        Eventually.TrueAsync(async () => (await RowsAsync(platform, output)).Any(isWanted), $"a row of {output}",
            TimeSpan.FromSeconds(60));

    private static bool Has(JsonElement row, string column, string value) =>
        row.GetProperty(column).GetString() == value;

    private static async Task<List<JsonElement>> RowsAsync(PlatformProcess platform, string output)
    {
        using var answer = await platform.Api.GetAsync($"api/v1/outputs/{output}/rows?limit=1000");
        if (!answer.IsSuccessStatusCode) return [];
        var page = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("row"))];
    }

    private static async Task<string> KeyAsync(PlatformProcess platform) =>
        (await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/devices/pump/keys"))
        .GetProperty("primaryKey").GetString()!;

    private static async Task SendAsync(IMqttClient device, int value)
    {
        var sent = await device.PublishStringAsync(
            "telemetry", $$"""{"v":{{value}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
        Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
    }
}
