using System.Text.Json;
using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Archive;

/// <summary>The verbs of the archive, as an operator uses them on a running platform.</summary>
public class ArchiveVerbTests
{
    [Test]
    public async Task An_archive_is_merged_verified_erased_from_and_a_difference_told()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path, ("Archiver:RollAge", "100ms"));
        await platform.StartAsync();
        var rows = 0;
        var keys = new Dictionary<string, string>();
        foreach (var device in new[] { "pump-1", "pump-2" })
        {
            var key = keys[device] = await platform.RegisterAsync(device);
            for (var i = 0; i < 3; i++)
            {
                // In files of their own, each time.
                await PublishAsync(platform, device, key, 5);
                rows += 5;
                await Eventually.TrueAsync(
                    async () => (long)await JsonAsync("show", "rows") == rows, $"{rows} rows are archived",
                    TimeSpan.FromSeconds(60));
            }
        }

        var files = (long)await JsonAsync("show", "files");
        Assert.That((long)await JsonAsync("compact", "filesBefore", "--all"), Is.GreaterThan(1));
        Assert.That((long)await JsonAsync("show", "files"), Is.LessThan(files));
        var verified = await MillraceAsync("verify", "--output", "json");
        Assert.That(verified.ExitCode, Is.Zero, verified.Error);
        using (var stretches = JsonDocument.Parse(verified.Output))
        {
            Assert.That(stretches.RootElement.EnumerateArray().Sum(s => s.GetProperty("archiveRows").GetInt64()),
                Is.EqualTo(30));
        }

        var unproven = await MillraceAsync("proof", "pump-1");
        Assert.That(unproven.ExitCode, Is.EqualTo(1), "it was never erased");
        Assert.That(unproven.Error, Does.StartWith("AR-0012").And.Contain("No erasure"));
        var before = TimeProvider.System.GetUtcNow().ToString("O");
        Assert.That((long)await JsonAsync("erase", "rows", "pump-1"), Is.EqualTo(15));
        Assert.That(await CountAsync(), Is.EqualTo("n\r\n15\r\n"));
        Assert.That(await CountAsync("--at", before), Is.EqualTo("n\r\n30\r\n"), "as it was");
        Assert.That(await CountAsync("--version", "0"), Is.EqualTo("n\r\n0\r\n"));
        Assert.That(await CountAsync("--version", "9999"), Does.StartWith("DL-0006"));
        Assert.That(await CountAsync("--version", "0", "--at", before), Does.StartWith("CP-"));
        Assert.That((long)await JsonAsync("proof", "erasedRowsFound", "pump-1"), Is.Zero);
        Assert.That((long)await JsonAsync("proof", "oldFiles", "pump-1"), Is.GreaterThan(0));
        Assert.That((long)await JsonAsync("vacuum", "files", "--dry-run"), Is.Zero, "they are too young");
        Assert.That((await MillraceAsync("verify")).ExitCode, Is.Zero);
        var history = await MillraceAsync("history", "--output", "csv");
        Assert.That(history.Output, Does.Contain("OPTIMIZE").And.Contain("erasure").And.Not.Contain("pump-1"));

        await platform.ApplyAsync("echo", "SELECT t INTO Echo FROM telemetry", archiveOutputs: true);
        await PublishAsync(platform, "pump-2", keys["pump-2"], 5);
        await Eventually.TrueAsync(async () =>
        {
            var output = await MillraceAsync("verify", "--table", "Echo", "--output", "json");
            Assert.That(output.ExitCode, Is.Zero, output.Error);
            using var parts = JsonDocument.Parse(output.Output);
            return parts.RootElement.EnumerateArray().Sum(part => part.GetProperty("table").GetString() == "echo"
                ? part.GetProperty("archiveRows").GetInt64()
                : throw new InvalidOperationException("of another table")) == 35;
        }, "the output's rows, of all that the log has, are compared", TimeSpan.FromSeconds(60));
        var echoed = await MillraceAsync("history", "--table", "Echo", "--output", "csv");
        Assert.That(echoed.Output, Does.Contain("WRITE").And.Contain("CREATE TABLE").And.Not.Contain("OPTIMIZE"));
        Assert.That((await MillraceAsync("history", "--table", "none")).Error, Does.StartWith("AR-0009"));

        foreach (var file in Directory.GetFiles(
            Path.Combine(folder.Path, "archive", "telemetry"), "*.parquet", SearchOption.AllDirectories))
        {
            File.Delete(file);
        }

        var broken = await MillraceAsync("verify");
        Assert.That(broken.ExitCode, Is.EqualTo(1));
        Assert.That(broken.Error, Does.StartWith("AR-0008"));
        Assert.That((await MillraceAsync("verify", "--partition", "99")).ExitCode, Is.Zero, "there is no such one");
        Assert.That((await MillraceAsync("erase", "no/device")).Error, Does.StartWith("AR-0009"));
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, platform.Printed);

        Task<Command.Result> MillraceAsync(string verb, params string[] rest) =>
            Command.MillraceAsync(["archive", verb, .. rest, "--data", folder.Path]);

        async Task<string> CountAsync(params string[] rest)
        {
            var (code, output, error) = await Command.MillraceAsync(["cold", "sql",
                "SELECT count(*) AS n FROM telemetry", .. rest, "--output", "csv", "--data", folder.Path]);
            return code == 0 ? output : error;
        }

        async Task<decimal> JsonAsync(string verb, string name, params string[] rest)
        {
            var (code, output, error) = await MillraceAsync(verb, [.. rest, "--output", "json"]);
            Assert.That(code, Is.Zero, error);
            using var answer = JsonDocument.Parse(output);
            return answer.RootElement.GetProperty(name).GetDecimal();
        }
    }

    private static async Task PublishAsync(PlatformProcess platform, string device, string key, int count)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", platform.MqttPort)
            .WithClientId(device).WithCredentials(device, key).Build(), CancellationToken.None);
        for (var i = 0; i < count; i++)
            await client.PublishStringAsync("telemetry", $$"""{"t":{{i}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
        await client.DisconnectAsync();
    }
}
