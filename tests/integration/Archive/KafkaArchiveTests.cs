using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Integration.Tests.Cluster;
using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Archive;

/// <summary>The archive's verbs where the log is on Kafka: whole, and when it has let go of what is archived.</summary>
public class KafkaArchiveTests
{
    private const string Roles = "gateway,registry,stream-processor,archiver,cold-path,api";
    private const int Partitions = 4;
    private static readonly string[] Devices = [.. Enumerable.Range(1, 6).Select(n => $"pump-{n}")];

    private readonly Dictionary<string, string> _keys = [];
    private RoleSet _hub = null!;
    private PlatformProcess _platform = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _hub = await RoleSet.CreateAsync();
        _platform = await _hub.StartAsync(
            "all", Roles, ("Archiver:RollAge", "100ms"), ("Archiver:OutputScanInterval", "00:00:00.200"));
        foreach (var device in Devices) _keys[device] = await _platform.RegisterAsync(device);
        await _platform.ApplyAsync("echo", "SELECT t INTO Echo FROM telemetry", archiveOutputs: true);
    }

    [TearDown]
    public async Task EndAsync()
    {
        if (_hub is not null) await _hub.DisposeAsync();
    }

    [Test]
    public async Task A_device_is_erased_and_the_archive_verified_as_far_as_the_log_goes()
    {
        await PublishAsync(20);
        await ArchivedAsync(120);
        var whole = await VerifyAsync();
        Assert.That((whole["logRecords"] - whole["fenced"], whole["archiveRows"], whole["erased"], whole["trimmed"],
            whole["undecided"]), Is.EqualTo((240L, 240L, 0L, 0L, 0L)));

        var erased = await OnAsync("erase", "pump-1", "--output", "json");
        Assert.That(erased.ExitCode, Is.Zero, erased.Error);
        Assert.That(JsonDocument.Parse(erased.Output).RootElement.GetProperty("rows").GetInt64(), Is.EqualTo(40));
        var proof = await OnAsync("proof", "pump-1", "--output", "json");
        Assert.That(JsonDocument.Parse(proof.Output).RootElement.GetProperty("erasedRowsFound").GetInt64(), Is.Zero);
        var less = await VerifyAsync();
        Assert.That((less["logRecords"], less["archiveRows"], less["erased"]),
            Is.EqualTo((whole["logRecords"], 200L, 40L)));

        // The query's partitions have other owners now.
        await _platform.KillAsync();
        await _platform.StartRolesAsync(Roles);
        await PublishAsync(5);
        await ArchivedAsync(100 + 30);
        var trimmed = await TrimAsync(Topics.Telemetry, range => range.Next / 2)
            + await TrimAsync(Topics.Output("Echo"), _ => 2);

        var rest = await VerifyAsync($"Not compared: {trimmed} offsets", "Not decided: ");

        Assert.That(rest["trimmed"], Is.EqualTo(trimmed));
        Assert.That(rest["unaccounted"], Is.InRange(1, trimmed - 1), "pump-1 is gone, and fences are no rows");
        Assert.That(rest["undecided"], Is.GreaterThan(0), "who owned the query's partitions is told by what is gone");
        Assert.That(rest["logRecords"], Is.LessThan(whole["logRecords"]));
        Assert.That((await OnAsync("verify")).Output, Does.Contain("trimmed").And.Contain("undecided"));
        Assert.That((await OnAsync("proof", "pump-1", "--output", "json")).ExitCode, Is.Zero);
        Assert.That(await _platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, _platform.Printed);
    }

    private async Task PublishAsync(int each)
    {
        foreach (var device in Devices)
        {
            using var client = await _platform.ConnectAsync(device, _keys[device]);
            for (var i = 0; i < each; i++)
            {
                var sent = await client.PublishStringAsync(
                    "telemetry", $$"""{"t":{{i}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
                Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
            }
        }
    }

    /// <summary>Waits until telemetry and the output have so many rows each.</summary>
    private Task ArchivedAsync(int rows) => Eventually.TrueAsync(async () =>
    {
        using var info = JsonDocument.Parse(await _platform.Api.GetStringAsync("api/v1/archive"));
        var outputs = info.RootElement.GetProperty("outputs").EnumerateArray();
        return outputs.Append(info.RootElement).Count(table => table.GetProperty("rows").GetInt64() == rows) == 2;
    }, $"{rows} rows and what the query made of them are archived", TimeSpan.FromSeconds(60));

    /// <summary>What the verb counted, over all tables and partitions; it found nothing wrong.</summary>
    private async Task<Dictionary<string, long>> VerifyAsync(params string[] told)
    {
        var (code, output, error) = await OnAsync("verify", "--output", "json");
        Assert.That(code, Is.Zero, error);
        foreach (var line in told) Assert.That(error, Does.Contain(line));
        if (told.Length == 0) Assert.That(error, Does.Not.Contain("Not compared").And.Not.Contain("Not decided"));
        return JsonDocument.Parse(output).RootElement.EnumerateArray().SelectMany(stretch => stretch.EnumerateObject())
            .Where(field => field.Value.ValueKind == JsonValueKind.Number)
            .GroupBy(field => field.Name).ToDictionary(field => field.Key, field => field.Sum(f => f.Value.GetInt64()));
    }

    /// <summary>Deletes records as the platform's retention does; returns how many.</summary>
    private async Task<long> TrimAsync(string topic, Func<OffsetRange, long> upTo)
    {
        await using var log = await _hub.OpenLogAsync();
        var gone = 0L;
        for (var number = 0; number < Partitions; number++)
        {
            var partition = new TopicPartition(topic, number);
            var range = await log.RangeAsync(partition);
            gone += await log.TrimAsync(partition, Math.Min(upTo(range), range.Next)) - range.First;
        }

        return gone;
    }

    private Task<Command.Result> OnAsync(params string[] verb) => Command.MillraceAsync(["archive", .. verb,
        "--server", $"http://127.0.0.1:{_platform.HttpPort}", "--token",
        _platform.Api.DefaultRequestHeaders.Authorization!.Parameter!]);
}
