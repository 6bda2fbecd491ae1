using System.Net;
using System.Net.Sockets;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

public class ConfigurationTests
{
    [Test]
    public async Task Everything_that_is_wrong_is_told_at_once_with_its_key()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("c.json"),
            """{"EventLog": {"Partitions": 0}, "Http": {"Address": "0.0.0.0"}, "Api": {"PageRowsMax": -1}}""");
        var result = await Command.MillraceAsync("check-config", "--config", folder.Sub("c.json"), "--data",
            folder.Path);

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("HO-0001").And.Contain("Partitions").And.Contain("Http:Address")
            .And.Contain("PageRowsMax"));
    }

    [TestCase("""{"Gateway": {"Mqtt": {"Port": 99999}}}""", "Gateway:Mqtt:Port is '99999'")]
    [TestCase("""{"Gateway": {"TopicMapings": []}, "Archver": {"RollAge": "5s"}}""", "Archver is no section")]
    [TestCase("""{"Archiver": {"RolAge": "5s"}}""", "Archiver:RolAge is no option of Archiver")]
    [TestCase("""{"Archiver": {"PromotedColumns": [{"Nam": "t"}]}}""", "Archiver:PromotedColumns:0:Nam is no option")]
    [TestCase("""{"Stores": {"TelemetryRetention": "long"}}""", "Stores:TelemetryRetention")]
    [TestCase("""{"Logging": {"Level": "loud"}}""", "Logging:Level")]
    [TestCase("""{"EventLog": {"Kind": "Kafka"}}""", "EventLog:Kafka:BootstrapServers is missing")]
    [TestCase("""{"EventLog": {"Kind": "Pigeons"}}""", "EventLog:Kind")]
    [TestCase("""{"Stores": {"Kind": "Cassandra"}}""", "Cassandra:ContactPoints")]
    [TestCase("""{"EventLog": {"Kafka": {"Brokers": "a:1"}}}""", "EventLog:Kafka:Brokers is no option")]
    [TestCase("""{"Http": """, "c.json")]
    public async Task A_value_or_a_key_that_does_not_fit_is_told_without_a_stack(string json, string says)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("c.json"), json);
        var result = await Command.MillraceAsync("check-config", "--config", folder.Sub("c.json"), "--data",
            folder.Path);

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.StartWith("HO-0001").And.Contain(says).And.Not.Contain("   at "));
    }

    [TestCase(null, null)]
    [TestCase("Gateway:Limits:Device:BytesPerSecond=64KiB", null)]
    [TestCase("Gateway:Limits:Device:BytesPerSecond=64MiB", "Gateway:Limits:Device:BytesPerSecond is 64MiB")]
    [TestCase("Gateway:Limits:Device:BytesPerSecond=0", "Gateway:Limits:Device:BytesPerSecond is 0, which is no limit")]
    [TestCase("Gateway:Limits:Devices:0:BytesPerSecond=1MiB", "Gateway:Limits:Devices:0:BytesPerSecond is 1MiB")]
    [TestCase("Gateway:Limits:SharedBytesPerSecond=9MiB", "Gateway:Limits:SharedBytesPerSecond is 9MiB")]
    [TestCase("Cassandra:Telemetry:HubBytesPerSecond=9MiB", "Cassandra:Telemetry:Bucket is 00:10:00")]
    public async Task On_Cassandra_no_role_starts_with_limits_that_let_a_partition_grow_too_large(
        string? set, string? says)
    {
        using var folder = new TemporaryFolder();
        foreach (var roles in new[] { "gateway", "archiver" })
        {
            var result = await Command.MillraceAsync(["check-config", "--data", folder.Path, "--roles", roles,
                "--set", "Stores:Kind=Cassandra", "--set", "Cassandra:ContactPoints=node",
                .. set is null ? Array.Empty<string>() : ["--set", set]]);

            Assert.That(result.ExitCode, Is.EqualTo(says is null ? 0 : 1), result.Error);
            if (says is null) continue;
            Assert.That(result.Error, Does.StartWith("HO-0001").And.Contain(says));
            if (says.StartsWith("Gateway", StringComparison.Ordinal))
                Assert.That(result.Error, Does.Contain("HO-0004"));
        }

        var embedded = await Command.MillraceAsync(["check-config", "--data", folder.Path,
            .. set is null ? Array.Empty<string>() : ["--set", set]]);
        Assert.That(embedded.ExitCode, Is.Zero, "on SQLite there are no partitions");
    }

    [Test]
    public async Task Durations_are_written_as_everywhere_else()
    {
        using var folder = new TemporaryFolder();
        var result = await Command.MillraceAsync("check-config", "--data", folder.Path, "--set",
            "Archiver:RollAge=5s", "--set", "Stores:TelemetryRetention=7d", "--set",
            "Stores:AlertRetention=30.00:00:00");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
    }

    [Test]
    public async Task A_platform_that_cannot_start_tells_why_by_its_code_alone()
    {
        using var folder = new TemporaryFolder();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var taken = await Command.MillraceAsync("dev", "--data", folder.Path, "--http-port", $"{port}", "--mqtt-port",
            "0", "--mqtts-port", "0");
        Assert.That((taken.ExitCode, taken.Error.Trim().Split('\n').Length), Is.EqualTo((1, 1)), taken.Error);
        Assert.That(taken.Error, Does.StartWith("HO-0002").And.Contain($"{port}"));

        await File.WriteAllTextAsync(folder.Sub("file"), "");
        var folderless = await Command.MillraceAsync("dev", "--data", folder.Sub("file"));
        Assert.That(folderless.ExitCode, Is.EqualTo(1));
        Assert.That(folderless.Error, Does.StartWith("CL-0009").And.Not.Contain("   at "));
    }

    [Test]
    public async Task Roles_that_run_by_configuration_are_found_by_the_verbs_of_their_folder()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartRolesAsync("gateway,registry,api");
        await Eventually.TrueAsync(() => platform.Printed.Contains("Running gateway, registry, api."), "it says so");
        var made = await Command.MillraceAsync("device", "create", "pump-7", "--data", folder.Path);
        Assert.That(made.ExitCode, Is.Zero, made.Error);
        var sql = await Command.MillraceAsync("cold", "sql", "SELECT 1", "--data", folder.Path);
        Assert.That(sql.Error, Does.Contain("AP-0003"), "the role cold-path is not here");
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(20)), Is.Zero);
    }

    [Test]
    public async Task A_valid_configuration_is_told_to_be_so_and_an_unknown_role_is_wrong_usage()
    {
        using var folder = new TemporaryFolder();
        var valid = await Command.MillraceAsync("check-config", "--data", folder.Path);
        var unknown = await Command.MillraceAsync("check-config", "--roles", "gateway,kitchen", "--data", folder.Path);

        Assert.That((valid.ExitCode, valid.Error), Is.EqualTo((0, "")));
        Assert.That(unknown.ExitCode, Is.EqualTo(2));
        Assert.That(unknown.Error, Does.Contain("CL-0007").And.Contain("kitchen"));
    }
}
