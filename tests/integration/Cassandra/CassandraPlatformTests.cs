using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Akka.Actor;
using Akka.Configuration;
using Millrace.Cluster;
using Millrace.Cql;
using Millrace.Integration.Tests.Bridge;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>A platform whose stores are on a Cassandra node.</summary>
public class CassandraPlatformTests
{
    private const string Keyspace = "platform_tests";
    private readonly TemporaryFolder _folder = new();
    private CassandraServers _servers = null!;

    [OneTimeSetUp]
    public async Task FindAsync()
    {
        var (servers, reason) = await CassandraServers.FindAsync();
        if (servers is null) Assert.Ignore(reason);
        _servers = servers!;
    }

    [SetUp]
    public async Task DropAsync()
    {
        await using var session = await OpenAsync();
        var drop = new SimpleStatement($"DROP KEYSPACE IF EXISTS {Keyspace}") { Timeout = TimeSpan.FromMinutes(2) };
        await session.ExecuteAsync(drop);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_servers is not null) await _servers.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_device_is_made_its_telemetry_shown_and_its_alert_listed_also_after_a_crash()
    {
        await using var platform = new PlatformProcess(_folder.Path, Settings(_servers.ContactPoints, _servers.Port));
        await platform.StartAsync();
        await platform.ApplyAsync("hot",
            "SELECT IoTHub.ConnectionDeviceId AS deviceId, t INTO alerts FROM telemetry WHERE t > 50");
        var key = await platform.RegisterAsync("pump-1");
        await PublishAsync(platform, key, 20, 91);

        var bodies = await ItemsAsync(platform, "devices/pump-1/telemetry?order=oldest", 2);
        Assert.That(bodies.Select(item => item.GetProperty("body").GetProperty("t").GetInt32()),
            Is.EqualTo(new[] { 20, 91 }));
        var alert = (await ItemsAsync(platform, "alerts?device=pump-1", 1)).Single();
        Assert.That(alert.GetProperty("deviceId").GetString(), Is.EqualTo("pump-1"));

        using var open = await platform.ConnectAsync("pump-2", await platform.RegisterAsync("pump-2"));
        await platform.ShowsAsync("pump-2", true);
        await platform.KillAsync();
        await platform.StartAsync();
        await PublishAsync(platform, key, 92);
        await platform.ShowsAsync("pump-2", false);
        await ItemsAsync(platform, "devices/pump-1/telemetry", 3);
        await ItemsAsync(platform, "alerts?device=pump-1", 2);
        var device = await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/devices/pump-1");
        Assert.That(device.GetProperty("deviceId").GetString(), Is.EqualTo("pump-1"));
        Assert.That(Directory.GetFiles(_folder.Path, "*.db", SearchOption.AllDirectories), Is.Empty);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, platform.Printed);
    }

    [Test]
    public async Task A_device_that_sends_more_than_partitions_have_room_for_is_slowed_and_loses_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path, Settings(_servers.ContactPoints, _servers.Port));
        await platform.StartAsync();
        using var client = await platform.ConnectAsync("pump-1", await platform.RegisterAsync("pump-1"));
        var body = JsonSerializer.Serialize(new { text = new string('x', 200_000) });
        for (var i = 0; i < 3; i++)
        {
            var sent = await client.PublishStringAsync("telemetry", body, MqttQualityOfServiceLevel.AtLeastOnce);
            Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        }

        // 256 KiB may come at once; two messages are more.
        var metrics = await MetricsPage.ReadAsync(platform.Api);
        Assert.That(metrics.Sum("millrace.gateway.pauses", ("reason", "device-rate")), Is.Positive);
        await ItemsAsync(platform, "devices/pump-1/telemetry", 3);
    }

    [Test]
    public async Task A_role_waits_for_its_stores_and_says_so()
    {
        using var folder = new TemporaryFolder();
        await using var way = new CutProxy(_servers.Port);
        way.Down(true);
        await using var waiting = new PlatformProcess(folder.Path, Settings("127.0.0.1", way.Port));
        waiting.LaunchRoles("registry");
        await Eventually.TrueAsync(
            async () => await waiting.TryGetAsync("healthz") == HttpStatusCode.OK, "it is alive",
            TimeSpan.FromSeconds(60));

        using var ready = await waiting.Api.GetAsync("readyz");
        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await ready.Content.ReadAsStringAsync(), Does.Contain("\"stores\""));
        await Eventually.TrueAsync(() => waiting.HasPrinted("does not answer"), "it says so");

        way.Down(false);
        await waiting.WaitReadyAsync();
        await Eventually.TrueAsync(() => waiting.HasPrinted($"keyspace {Keyspace}"), "it says so");
    }

    [Test]
    public async Task An_upgrade_is_not_finalised_while_older_processes_are_in_the_cluster()
    {
        using var folder = new TemporaryFolder();
        var port = FreePort.Next();
        await using var platform = new PlatformProcess(folder.Path, [
            .. Settings(_servers.ContactPoints, _servers.Port),
            ("Cluster:Port", $"{port}"), ("Cluster:Seeds:0", $"localhost:{port}"),
        ]);
        await platform.StartAsync();
        await using (var session = await OpenAsync(Keyspace))
        {
            // As if the keyspace had come from a version before.
            await session.ExecuteAsync("DELETE FROM migrations WHERE scope = 'finalised'");
        }

        // The first says what versions said that knew of no such thing: the number of the assembly.
        var older = new[] { "0.1.0", ClusterMembers.VersionOf(1) }
            .Select(version => ActorSystem.Create("millrace", Joining(port, version))).ToArray();
        await Eventually.TrueAsync(
            async () => await OlderAsync(platform) == 2, "both are known as older", TimeSpan.FromSeconds(60));
        foreach (var left in new[] { 1, 0 })
        {
            using var refused = await platform.Api.PostAsync("api/v1/upgrade/finalise", null);
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("AP-0012").And.Contain("localhost:"));
            await CoordinatedShutdown.Get(older[left]).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
            await Eventually.TrueAsync(
                async () => await OlderAsync(platform) == left, $"{left} are left", TimeSpan.FromSeconds(60));
        }

        using var answer = await platform.Api.PostAsync("api/v1/upgrade/finalise", null);
        var state = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(state.GetProperty("finalised").GetInt32(), Is.EqualTo(state.GetProperty("known").GetInt32()));
    }

    private static Config Joining(int seed, string version) => ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor.provider = cluster
          remote.dot-netty.tcp { hostname = "127.0.0.1", public-hostname = localhost, port = 0 }
          cluster { app-version = "{{version}}", seed-nodes = ["akka.tcp://millrace@localhost:{{seed}}"] }
        }
        """);

    /// <summary>-1 while the process is not in its cluster.</summary>
    private static async Task<int> OlderAsync(PlatformProcess platform)
    {
        var state = await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/upgrade");
        var older = state.GetProperty("older");
        return older.ValueKind == JsonValueKind.Null ? -1 : older.GetArrayLength();
    }

    private Task<CqlSession> OpenAsync(string? keyspace = null) => CqlSession.ConnectAsync(new CqlOptions
    {
        ContactPoints = _servers.ContactPoints.Split(','),
        Port = _servers.Port,
        Keyspace = keyspace,
    });

    private static (string, string)[] Settings(string contactPoints, int port) =>
    [
        ("Stores:Kind", "Cassandra"), ("Cassandra:ContactPoints", contactPoints), ("Cassandra:Port", $"{port}"),
        ("Cassandra:Keyspace", Keyspace), ("Cassandra:ReplicationFactor", "1"), ("Cassandra:RequestTimeout", "60s"),
    ];

    private static async Task PublishAsync(PlatformProcess platform, string key, params int[] values)
    {
        using var client = await platform.ConnectAsync("pump-1", key);
        foreach (var value in values)
        {
            var sent = await client.PublishStringAsync(
                "telemetry", $$"""{"t":{{value}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
            Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        }

        await client.DisconnectAsync();
    }

    private static async Task<List<JsonElement>> ItemsAsync(PlatformProcess platform, string path, int count)
    {
        List<JsonElement> items = [];
        await Eventually.TrueAsync(async () =>
        {
            var answer = await platform.Api.GetFromJsonAsync<JsonElement>($"api/v1/{path}");
            items = [.. answer.GetProperty("items").EnumerateArray()];
            return items.Count == count;
        }, $"{count} of {path}", TimeSpan.FromSeconds(60));
        return items;
    }
}
