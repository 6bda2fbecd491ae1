using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>What the README promises a newcomer, on the real process, with the lines that it prints.</summary>
public class TourTests() : PlatformTests(isShared: false)
{
    [Test]
    public async Task A_message_over_TLS_is_shown_raises_an_alert_and_is_in_the_archive()
    {
        var publish = await PrintedAsync("mosquitto_pub");
        await DoneAsync(await Command.ShellAsync(publish));
        var shown = "";
        await Eventually.TrueAsync(async () =>
        {
            shown = await MillraceAsync("telemetry", "show", "my-device", "--output", "json");
            return shown.Contains("21.5");
        }, "the warm store has it");
        foreach (var latest in new[] { "--latest=false", "--latest=true" })
        {
            Assert.That(await MillraceAsync("telemetry", "show", "my-device", "another", latest, "--output", "json"),
                Is.EqualTo(shown));
        }

        Assert.That((await Command.ShellAsync(await PrintedAsync("curl"))).Output, Does.Contain("21.5"));

        var query = Folder.Sub("hot.saql");
        await File.WriteAllTextAsync(query, "SELECT temperature INTO alerts FROM telemetry WHERE temperature > 20");
        Assert.That(await MillraceAsync("query", "apply", query), Does.Contain("hot version 1: running"));
        await Eventually.TrueAsync(async () =>
            (await MillraceAsync("query", "list", "--output", "json")).Contains("rowsIn"),
            "the query runs");
        await DoneAsync(await Command.ShellAsync(publish));
        await Eventually.TrueAsync(async () => Items(await MillraceAsync("alert", "list", "--output", "json")) == 1,
            "the alert is there");
        await Eventually.TrueAsync(
            async () => (await MillraceAsync("cold", "sql", "SELECT count(*) AS n FROM telemetry", "--output", "csv"))
                .Contains("2"), "both messages are in the archive", TimeSpan.FromSeconds(40));
        Assert.That(await MillraceAsync("cold", "run", "fleet-activity-by-day", "--output", "json"), Is.Not.Empty);
    }

    [Test]
    public async Task Devices_are_made_changed_and_removed_from_the_command_line()
    {
        Assert.That(await MillraceAsync("device", "create", "pump 7"), Does.Contain("MR-0001"));
        Assert.That(await MillraceAsync("device", "create", "pump-7", "--tags", """{"site":"n"}"""),
            Does.Contain("primaryKey"));
        Assert.That(await MillraceAsync("device", "list", "--output", "csv"), Does.Contain("pump-7,enabled"));
        Assert.That(await MillraceAsync("device", "disable", "pump-7"), Does.Contain("disabled"));
        var before = await MillraceAsync("device", "keys", "pump-7", "--output", "json");
        Assert.That(await MillraceAsync("device", "keys", "pump-7", "--regenerate", "both", "--output", "json"),
            Is.Not.EqualTo(before));
        await MillraceAsync("device", "delete", "pump-7");
        var gone = await Command.MillraceAsync("device", "show", "pump-7", "--data", Folder.Path);
        Assert.That(gone.ExitCode, Is.EqualTo(1), gone.Error);
        Assert.That(gone.Error, Does.Contain("RG-0002"));
    }

    [Test]
    public async Task A_simulated_fleet_is_acknowledged_and_a_token_is_asked_for()
    {
        var report = JsonDocument.Parse(await MillraceAsync(
            "simulate", "--devices", "20", "--rate", "20", "--duration", "4s", "--output", "json")).RootElement;
        Assert.That(report.GetProperty("acknowledged").GetInt64(), Is.GreaterThan(20));
        Assert.That(report.GetProperty("refused").GetInt64(), Is.Zero);

        var refused = await Command.MillraceAsync("device", "list", "--token", "none", "--data", Folder.Path);
        Assert.That((refused.ExitCode, refused.Error.Contains("AP-0001")), Is.EqualTo((1, true)));
    }

    [Test]
    public async Task A_secondPlatform_on_the_sameFolder_is_refused_and_the_first_goes_on_until_it_is_told_to_stop()
    {
        var second = await Command.MillraceAsync("dev", "--data", Folder.Path, "--mqtt-port", "0", "--mqtts-port", "0",
            "--http-port", "0");
        Assert.That(second.ExitCode, Is.EqualTo(1));
        Assert.That(second.Error, Does.Contain("LOG-0001"));
        Assert.That(await Platform.TerminateAsync(TimeSpan.FromSeconds(20)), Is.Zero);
    }

    [Test]
    public async Task A_live_tail_that_is_open_does_not_hold_up_the_end()
    {
        using var tail = await Platform.Api.GetAsync("api/v1/tail", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await tail.Content.ReadAsStreamAsync());
        Assert.That(await lines.ReadLineAsync(), Does.Contain("open"));

        Assert.That(await Platform.TerminateAsync(TimeSpan.FromSeconds(20)), Is.Zero);
        Assert.That(await lines.ReadToEndAsync(), Does.Not.Contain("telemetry"));
        Assert.That(Platform.Printed, Does.Not.Contain("WRN").And.Not.Contain("ERR"));
    }

    private async Task<string> MillraceAsync(params string[] arguments)
    {
        var result = await Command.MillraceAsync([.. arguments, "--data", Folder.Path]);
        return result.ExitCode == 0 ? result.Output : result.Error;
    }

    private async Task<string> PrintedAsync(string program)
    {
        var line = "";
        await Eventually.TrueAsync(() => (line = Platform.Printed.Split('\n').Select(l => l.Trim())
            .FirstOrDefault(l => l.StartsWith(program)) ?? "").Length > 0, $"{program} is printed");
        return line;
    }

    private static Task DoneAsync(Command.Result result)
    {
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return Task.CompletedTask;
    }

    private static int Items(string json) => JsonDocument.Parse(json).RootElement.GetArrayLength();
}
