using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Millrace.Integration.Tests.Bridge;
using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Archive;

/// <summary>A platform as a process whose archive is in a bucket of a real S3 store.</summary>
[Category("Faults")]
public class S3ArchiveTests
{
    private const string Roles = "gateway,registry,stream-processor,archiver,cold-path,api";

    private readonly TemporaryFolder _folder = new();
    private S3Servers _servers = null!;

    [OneTimeSetUp]
    public async Task FindAsync()
    {
        var (servers, reason) = await S3Servers.FindAsync();
        if (servers is null) Assert.Ignore(reason);
        _servers = servers!;
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_servers is not null) await _servers.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task What_is_sent_while_the_store_hangs_or_the_platform_dies_is_archived_once()
    {
        if (!_servers.IsOurs) Assert.Ignore("The store is not ours to stop.");
        await using var platform = new PlatformProcess(_folder.Path,
        [
            .. _servers.Settings("survival").Select(pair => (pair.Key, pair.Value!)),
            ("ObjectStore:S3:RequestTimeout", "2s"), ("Archiver:RollAge", "200ms"), ("Archiver:RestartDelay", "100ms"),
        ]);
        await platform.StartRolesAsync(Roles);
        var key = await platform.RegisterAsync("pump-1");
        var sent = 0;
        for (var round = 0; round < 3; round++)
        {
            sent += await PublishAsync(platform, key, 50);
            await _servers.PauseAsync();
            sent += await PublishAsync(platform, key, 50);
            if (round == 1)
            {
                await platform.KillAsync();
                await _servers.ResumeAsync();
                await platform.StartRolesAsync(Roles);
            }
            else
            {
                await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
                await _servers.ResumeAsync();
            }

            if (round == 2)
            {
                await _servers.KillAsync();
                sent += await PublishAsync(platform, key, 50);
                await _servers.StartAsync();
            }

            await ArchivedAsync(platform, sent);
        }

        using var answer = await platform.Api.PostAsJsonAsync("api/v1/archive/compact", new { all = true });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var (code, output, error) = await Command.MillraceAsync("archive", "verify", "--data", _folder.Path);
        Assert.That(code, Is.Zero, output + error);
        Assert.That(Directory.Exists(Path.Combine(_folder.Path, "archive")), Is.False, "nothing is in local files");
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, platform.Printed);
    }

    /// <summary>
    /// In each step of an upload: it begins, a part is on its way, the last one is, and the store is to make them one
    /// object. What its process had said may arrive after its death, or never does.
    /// </summary>
    [Test]
    public async Task A_platform_that_is_killed_within_an_upload_of_parts_archives_all_once()
    {
        const int rows = 70;
        using var folder = new TemporaryFolder();
        var endpoint = new Uri(_servers.Endpoint);
        await using var way = new BreakableProxy(endpoint.Host, endpoint.Port);
        var settings = _servers.Settings("parts");
        settings["ObjectStore:S3:Endpoint"] = $"http://127.0.0.1:{way.Port}";
        await using var platform = new PlatformProcess(folder.Path,
        [
            .. settings.Select(pair => (pair.Key, pair.Value!)), ("ObjectStore:S3:PartSize", "5MiB"),
            ("Archiver:RollRows", $"{rows}"), ("Archiver:RollAge", "1m"), ("Archiver:RestartDelay", "100ms"),
        ]);
        await platform.StartRolesAsync(Roles);
        var key = await platform.RegisterAsync("pump-1");
        var random = new Random(5);
        var sent = 0;
        foreach (var step in new[] { "?uploads", "partNumber=1", "partNumber=2", "<CompleteMultipartUpload" })
        {
            foreach (var arrives in new[] { true, false })
            {
                way.HoldAt(Encoding.ASCII.GetBytes(step));
                sent += await PublishAsync(platform, key, rows, () => Large(random));
                await Eventually.TrueAsync(
                    () => new ValueTask<bool>(way.IsHolding), () => $"{step}\n{platform.Printed}",
                    TimeSpan.FromSeconds(60));
                await platform.KillAsync();
                if (!arrives) way.Cut();
                way.LetGoOn();
                await platform.StartRolesAsync(Roles);
                await ArchivedAsync(platform, sent);
            }
        }

        var (code, output, error) = await Command.MillraceAsync("archive", "verify", "--data", folder.Path);
        Assert.That(code, Is.Zero, output + error);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, platform.Printed);
    }

    [Test]
    public async Task A_role_waits_for_its_store_and_says_so()
    {
        using var folder = new TemporaryFolder();
        await using var way = new CutProxy(new Uri(_servers.Endpoint).Port);
        way.Down(true);
        var settings = _servers.Settings("waiting");
        settings["ObjectStore:S3:Endpoint"] = $"http://127.0.0.1:{way.Port}";
        await using var waiting = new PlatformProcess(
            folder.Path, [.. settings.Select(pair => (pair.Key, pair.Value!)), ("ObjectStore:S3:RetriesMax", "0")]);
        waiting.LaunchRoles("archiver");
        await Eventually.TrueAsync(
            async () => await waiting.TryGetAsync("healthz") == HttpStatusCode.OK,
            () => $"it is alive; it printed\n{waiting.Printed}", TimeSpan.FromSeconds(60));

        using var ready = await waiting.Api.GetAsync("readyz");
        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await ready.Content.ReadAsStringAsync(), Does.Contain("\"object-store\""));

        way.Down(false);
        await waiting.WaitReadyAsync();
    }

    /// <summary>Sixty of these are more than one part, packed.</summary>
    private static string Large(Random random)
    {
        var bytes = new byte[90_000];
        random.NextBytes(bytes);
        return $$"""{"t":"{{Convert.ToBase64String(bytes)}}"}""";
    }

    private static async Task ArchivedAsync(PlatformProcess platform, int rows) => await Eventually.TrueAsync(
        async () => (await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/archive")).GetProperty("rows").GetInt64()
            == rows,
        $"{rows} rows are archived", TimeSpan.FromSeconds(60));

    private static async Task<int> PublishAsync(
        PlatformProcess platform, string key, int count, Func<string>? body = null)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", platform.MqttPort)
            .WithClientId("pump-1").WithCredentials("pump-1", key).Build(), CancellationToken.None);
        for (var i = 0; i < count; i++)
        {
            var sent = await client.PublishStringAsync(
                "telemetry", body?.Invoke() ?? $$"""{"t":{{i}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
            Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        }

        await client.DisconnectAsync();
        return count;
    }
}
