using System.Net.Http.Json;
using System.Text.Json;
using Confluent.Kafka;
using Millrace.Contracts;
using Millrace.Integration.Tests.Bridge;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>Any Kafka tool reads telemetry, and what another producer writes there is telemetry.</summary>
public class OtherToolsTests
{
    private const string AllRoles = "gateway,registry,stream-processor,archiver,cold-path,api";

    // Consumers join their groups first.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private RoleSet _hub = null!;
    private PlatformProcess _platform = null!;

    [TearDown]
    public async Task StopAsync()
    {
        if (_hub is not null) await _hub.DisposeAsync();
        _hub = null!;
    }

    [Test]
    public async Task Kcat_reads_what_a_device_sent_by_key_headers_and_bytes()
    {
        var (kcat, publish) = (Find("kcat", "kcat"), Find("mosquitto_pub", "mosquitto-clients"));
        await StartAsync();
        var key = await _platform.RegisterAsync("pump-1");
        var sent = await publish.RunAsync("-h", "127.0.0.1", "-p", $"{_platform.MqttPort}", "-i", "pump-1", "-u",
            "pump-1", "-P", key, "-q", "1", "-V", "5", "-t", "devices/pump-1/messages/events/room=a%20b&$.mid=m-1",
            "-D", "publish", "content-type", "application/json", "-m", """{"t":1}""");
        Assert.That(sent.ExitCode, Is.Zero, sent.Output);

        var (code, read) = await kcat.RunAsync("-C", "-b", _hub.BootstrapServers, "-t", _hub.Topic("telemetry"), "-o",
            "beginning", "-e", "-q", "-f", "%k|%s|%h|%T");
        Assert.That(code, Is.Zero, read);
        var parts = read.Trim().Split('|');
        Assert.That(parts[..2], Is.EqualTo(new[] { "pump-1", """{"t":1}""" }));
        Assert.That(parts[2].Split(','), Is.SupersetOf(
            new[] { "content-type=application/json", "message-id=m-1", "app.room=a b" }));
        var enqueued = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(parts[3]));
        Assert.That(TimeProvider.System.GetUtcNow() - enqueued, Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task What_kcat_writes_is_telemetry_like_any_other_and_without_a_key_a_dead_letter()
    {
        var kcat = Find("kcat", "kcat");
        await StartAsync();
        await _platform.ApplyAsync("hot",
            "SELECT IoTHub.ConnectionDeviceId AS deviceId, t INTO alerts FROM telemetry WHERE t > 50");
        var lines = Enumerable.Range(0, 40).Select(i => $"truck-{i % 8};{{\"t\":{i * 2}}}");
        await ProduceAsync(kcat, [.. lines], "-K", ";");
        await ProduceAsync(kcat, ["nobody's"]);

        await Eventually.TrueAsync(async () => await CountAsync("alerts?limit=100") == 14, "alerts", Patience);
        for (var device = 0; device < 8; device++)
        {
            var path = $"devices/truck-{device}/telemetry?order=oldest";
            await Eventually.TrueAsync(async () => await CountAsync(path) == 5, $"{path} in the warm store", Patience);
            var items = (await GetAsync(path)).GetProperty("items").EnumerateArray();
            Assert.That(items.Select(i => i.GetProperty("body").GetProperty("t").GetInt32()),
                Is.EqualTo(Enumerable.Range(0, 5).Select(n => (device + (n * 8)) * 2)));
        }

        await Eventually.TrueAsync(async () => await ArchivedAsync() == 40, "in the archive", Patience);
        await Eventually.TrueAsync(async () => await CountAsync("dead-letters?stage=warm-writer") == 1
            && await CountAsync("dead-letters?stage=archiver") == 1
            && await CountAsync("dead-letters?stage=query") == 1,
            "the keyless one is a dead letter of each who reads it", Patience);
    }

    /// <summary>
    /// The end of each transaction takes an offset that no reader sees; one ends what is in every partition here.
    /// </summary>
    [Test]
    public async Task What_a_producer_writes_in_transactions_is_telemetry_when_they_are_committed()
    {
        await StartAsync();
        await _platform.ApplyAsync("counted", "SELECT IoTHub.ConnectionDeviceId AS deviceId, COUNT(*) AS n INTO alerts "
            + "FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 1)");
        using (var producer = await BeginAsync())
        {
            for (var round = 0; round < 5; round++)
            {
                Transact(producer, round, isKept: true);
                Transact(producer, round, isKept: false);
            }
        }

        await Eventually.TrueAsync(async () => await AlertedAsync() == 40, "all are counted", Patience);
        for (var device = 0; device < 8; device++)
        {
            var path = $"devices/truck-{device}/telemetry?order=oldest";
            await Eventually.TrueAsync(async () => await CountAsync(path) == 5, $"{path} in the warm store", Patience);
        }

        await Eventually.TrueAsync(async () => await ArchivedAsync() == 40, "in the archive", Patience);
        await using var log = await _hub.OpenLogAsync();
        string[] groups = [ConsumerGroups.WarmWriter, ConsumerGroups.Archiver, ConsumerGroups.OfQuery("counted")];
        for (var p = 0; p < RoleSet.Partitions; p++)
        {
            var partition = new Contracts.TopicPartition("telemetry", p);
            foreach (var group in groups)
            {
                await Eventually.TrueAsync(async () => (await log.CommittedAsync(group, partition))?.NextOffset
                    == (await log.RangeAsync(partition)).Next, $"{group} is at the end of {partition}", Patience);
            }
        }
    }

    [Test]
    public async Task A_bridge_feeds_kafka()
    {
        await using var broker = await Mosquitto.StartAsync();
        await StartAsync(BridgeSettings.Of(broker.Port));
        await Eventually.TrueAsync(async () => (await GetAsync("bridges")).GetProperty("items").EnumerateArray()
            .Any(bridge => bridge.GetProperty("state").GetString() == "connected"), "the bridge is connected");
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        for (var i = 0; i < 20; i++) await publisher.PublishAsync("plant/press/data", $$"""{"t":{{i}}}""", qos: 1);

        await Eventually.TrueAsync(async () => await CountAsync("devices/press/telemetry") == 20, "in the warm store",
            Patience);
    }

    private static Tool Find(string name, string package)
    {
        if (Tool.Find(name) is { } tool) return tool;
        Assert.Ignore($"{name} is not installed (Debian: {package}).");
        return null!;
    }

    private async Task StartAsync(params (string Key, string Value)[] settings)
    {
        _hub = await RoleSet.CreateAsync();
        _platform = await _hub.StartAsync("all", AllRoles, settings);
    }

    private async Task ProduceAsync(Tool kcat, string[] lines, params string[] more)
    {
        var file = Path.Combine(_hub.Data, "lines");
        await File.WriteAllLinesAsync(file, lines);
        var (code, output) = await kcat.RunAsync(["-P", "-b", _hub.BootstrapServers, "-t", _hub.Topic("telemetry"),
            "-X", "partitioner=murmur2_random", .. more, "-l", file]);
        Assert.That(code, Is.Zero, output);
    }

    private async Task<IProducer<string, string>> BeginAsync()
    {
        var producer = new ProducerBuilder<string, string>(new ProducerConfig
        {
            BootstrapServers = _hub.BootstrapServers,
            Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
            TransactionalId = _hub.Topic("foreign"),
        }).Build();
        await Task.Run(() => producer.InitTransactions(Patience));
        return producer;
    }

    /// <summary>A transaction with a record of each of 8 devices; the partitions of them all see it end.</summary>
    private void Transact(IProducer<string, string> producer, int round, bool isKept)
    {
        producer.BeginTransaction();
        for (var device = 0; device < 8; device++)
        {
            producer.Produce(_hub.Topic("telemetry"), new Message<string, string>
            {
                Key = $"truck-{device}",
                Value = $$"""{"t":{{round}},"kept":{{(isKept ? 1 : 0)}}}""",
            });
        }

        // An abort does not wait for the records, and may come to the broker before it knows of the transaction, which
        // it then refuses (librdkafka, issue 4849). Here they stand in the log first.
        Assert.That(producer.Flush(Patience), Is.Zero);
        if (isKept) producer.CommitTransaction(Patience);
        else producer.AbortTransaction(Patience);
    }

    private async Task<int> AlertedAsync() => (await GetAsync("alerts?limit=100")).GetProperty("items").EnumerateArray()
        .Sum(alert => alert.GetProperty("details").GetProperty("n").GetInt32());

    private Task<JsonElement> GetAsync(string path) => _platform.Api.GetFromJsonAsync<JsonElement>($"api/v1/{path}");

    private async Task<int> CountAsync(string path) => (await GetAsync(path)).GetProperty("items").GetArrayLength();

    /// <summary>Rows of the archive, by SQL; 0 while there is none.</summary>
    private async Task<long> ArchivedAsync()
    {
        using var answer = await _platform.Api.PostAsJsonAsync("api/v1/cold/sql?format=csv",
            new { sql = "SELECT count(*) AS n FROM telemetry WHERE device_id LIKE 'truck-%'" });
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        return answer.IsSuccessStatusCode && lines.Length > 1 ? long.Parse(lines[1]) : 0;
    }
}
