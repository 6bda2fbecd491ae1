using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>What verbs print and how they end, on one running platform.</summary>
public class VerbTests() : PlatformTests(isShared: true)
{
    [OneTimeSetUp]
    public async Task PublishAsync()
    {
        await Eventually.TrueAsync(() => Platform.Printed.Contains("mosquitto_pub"), "the platform says how to send");
        var publish = Platform.Printed.Split('\n').First(l => l.Contains("mosquitto_pub")).Trim();
        var malformed = publish.Replace("""'{"temperature": 21.5}'""", "'{'");
        Assert.That(malformed, Is.Not.EqualTo(publish));
        await RunAsync("query", "apply", Query("any", "SELECT temperature INTO readings FROM telemetry"));
        await Eventually.TrueAsync(async () =>
            (await RunAsync("query", "list", "--output", "json")).Output.Contains("rowsIn"), "the query runs");
        foreach (var line in new[] { publish, malformed })
            Assert.That((await Command.ShellAsync(line)).ExitCode, Is.Zero, line);
    }

    [TestCase("device", "create", "--help")]
    [TestCase("device", "delete", "--help")]
    [TestCase("telemetry", "tail", "--help")]
    [TestCase("deadletter", "replay", "--help")]
    [TestCase("cold", "sql", "--help")]
    [TestCase("simulate", "--help")]
    public async Task Help_has_an_example_and_the_ways_to_print(params string[] verb)
    {
        var help = await RunAsync(verb);
        Assert.That(help.ExitCode, Is.Zero);
        Assert.That(help.Output, Does.Contain("Example").And.Contain("millrace ").And.Contain("<table|json|csv>"));
    }

    [TestCase("--output takes table, json or csv, not 'xml'", "device", "list", "--output", "xml")]
    [TestCase("--from takes an ISO 8601 time", "telemetry", "show", "my-device", "--from", "yesterday")]
    [TestCase("--duration takes a duration", "simulate", "--duration", "long")]
    [TestCase("--late takes a duration", "query", "apply", "q.saql", "--late", "5x")]
    [TestCase("--malformed takes a number from 0 to 1", "simulate", "--malformed", "3")]
    [TestCase("--rate takes a number from", "simulate", "--rate", "0")]
    [TestCase("--devices takes a number from", "simulate", "--devices", "0")]
    [TestCase("--server takes an address", "device", "list", "--server", "nowhere")]
    [TestCase("'bogus'", "deadletter", "list", "--stage", "bogus")]
    [TestCase("'bogus'", "deadletter", "list", "--state", "bogus")]
    public async Task Wrong_usage_is_told_in_a_line_or_two(string says, params string[] verb)
    {
        var wrong = await RunAsync(verb);
        Assert.That(wrong.ExitCode, Is.EqualTo(2));
        Assert.That(wrong.Error, Does.Contain(says).And.Not.Contain("System."));
        Assert.That(wrong.Output, Is.Empty);
    }

    [Test]
    public async Task Alerts_and_dead_letters_are_found_by_what_their_lists_show()
    {
        Assert.That((await RunAsync("alert", "list", "--severity", "critical")).ExitCode, Is.Zero);
        var open = await RunAsync("deadletter", "list", "--state", "open", "--stage", "query", "--output", "csv");
        Assert.That(open.ExitCode, Is.Zero, open.Error);
        Assert.That(open.Output, Does.StartWith("id,state,device,failed at,code,reason\n"));
    }

    [Test]
    public async Task A_replay_waits_for_its_stage_and_says_that_it_was_refused()
    {
        var id = "";
        await Eventually.TrueAsync(async () =>
        {
            var letters = JsonDocument.Parse((await RunAsync("deadletter", "list", "--output", "json")).Output);
            id = letters.RootElement.EnumerateArray().Select(l => l.GetProperty("id").GetString()!).FirstOrDefault();
            return id is not null;
        }, "the malformed body is a dead letter");
        var replay = await RunAsync("deadletter", "replay", id!);
        Assert.That(replay.ExitCode, Is.EqualTo(1));
        Assert.That(replay.Error, Does.Contain("CL-0011").And.Contain(id).And.Contain("SQ-0101"));
    }

    [Test]
    public async Task The_tail_prints_lines_and_tells_when_thePlatform_is_not_there()
    {
        var tail = RunAsync("telemetry", "tail", "--count", "2", "--output", "csv");
        var fleet = RunAsync("simulate", "--devices", "5", "--rate", "20", "--duration", "10s", "--prefix", "tail-");
        var lines = (await tail).Output.Trim().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(3));
        Assert.That(lines[0], Is.EqualTo("event at,device,properties,body"));
        Assert.That(lines[1], Does.Contain("tail-0000").And.Contain("battery"));
        Assert.That((await fleet).ExitCode, Is.Zero);

        var gone = await RunAsync("telemetry", "tail", "--server", "http://127.0.0.1:1");
        Assert.That((gone.ExitCode, gone.Error.Contains("CL-0002")), Is.EqualTo((1, true)));
    }

    [Test]
    public async Task Rows_of_the_archive_are_JSON_lines_CSV_or_Parquet_in_the_object_store()
    {
        const string sql = "SELECT 'a \"b\" <c>' AS t, NULL AS n, i FROM range(3) r(i)";
        var json = await RunAsync("cold", "sql", sql, "--output", "json");
        Assert.That(json.Output.Split('\n')[0], Is.EqualTo("""{"t":"a \"b\" <c>","n":null,"i":0}"""), json.Error);
        var csv = await RunAsync("cold", "sql", sql, "--output", "csv", "--rows", "2");
        Assert.That(csv.Output.ReplaceLineEndings("\n"),
            Is.EqualTo("t,n,i\n\"a \"\"b\"\" <c>\",,0\n\"a \"\"b\"\" <c>\",,1\n"));
        Assert.That(csv.Error, Does.Contain("Cut after 2 rows"));
        var kept = await RunAsync("cold", "sql", sql, "--parquet", "--output", "json");
        var key = JsonDocument.Parse(kept.Output).RootElement.GetProperty("keys")[0].GetString();
        Assert.That(key, Does.StartWith("results/sql/").And.EndsWith(".parquet"));
        Assert.That(File.Exists(Path.Combine(Folder.Path, "archive", key!)), Is.True);
    }

    [Test]
    public async Task A_jobs_results_are_made_for_a_range_told_of_and_exported()
    {
        const string job = "fleet-activity-by-day";
        var made = await RunAsync(
            "cold", "run", job, "--from", "2026-01-01", "--to", "2026-01-03", "--output", "csv");
        Assert.That(made.Output.ReplaceLineEndings("\n"),
            Does.StartWith("part,rows,bytes,attempt\n2026-01-01,0,").And.Contain("\n2026-01-02,0,"), made.Error);
        var history = await RunAsync("cold", "history", job, "--limit", "1", "--output", "csv");
        Assert.That(history.Output, Does.Contain("\n2026-01-02,succeeded,1,"), history.Error);
        Assert.That((await RunAsync("cold", "jobs", "--output", "csv")).Output,
            Does.Contain($"\n{job},day,15 0 * * *,"));

        foreach (var (end, begins) in new[] { (".csv", "devices,messages,bytes"), (".parquet", "PAR1") })
        {
            var file = Folder.Sub($"activity{end}");
            var exported = await RunAsync("cold", "export",
                "SELECT devices, messages, bytes FROM job_fleet_activity_by_day", "--file", file);
            Assert.That(exported.ExitCode, Is.Zero, exported.Error);
            Assert.That(await File.ReadAllTextAsync(file), Does.StartWith(begins));
        }

        var unknown = await RunAsync("cold", "history", "no-such-job");
        Assert.That((unknown.ExitCode, unknown.Error.Contains("CP-0001")), Is.EqualTo((1, true)));
    }

    [Test]
    public async Task Two_fleets_with_prefixes_of_their_own_do_not_disturb_each_other()
    {
        var fleets = await Task.WhenAll(new[] { "one-", "two-" }.Select(prefix => RunAsync("simulate", "--devices", "5",
            "--rate", "20", "--duration", "4s", "--jitter", "0.5", "--prefix", prefix, "--output", "json")));
        foreach (var report in fleets.Select(f => JsonDocument.Parse(f.Output).RootElement))
        {
            Assert.That(report.GetProperty("refused").GetInt64(), Is.Zero);
            var (sent, acknowledged) = (report.GetProperty("sent"), report.GetProperty("acknowledged"));
            Assert.That(acknowledged.GetInt64(), Is.EqualTo(sent.GetInt64()), "the last ones are waited for");
            Assert.That(sent.GetInt64(), Is.GreaterThan(5));
        }
    }

    [Test]
    public async Task A_fleet_that_nobody_takes_is_an_error_with_its_reason()
    {
        var fleet = await RunAsync("simulate", "--devices", "2", "--duration", "3s", "--mqtt", "127.0.0.1:1");
        Assert.That(fleet.ExitCode, Is.EqualTo(1));
        Assert.That(fleet.Error, Does.Contain("CL-0013").And.Contain("CONNECT: "));
    }

    [Test]
    public async Task A_deleted_device_is_told_as_it_was_asked_for()
    {
        await RunAsync("device", "create", "gone-1");
        var deleted = await RunAsync("device", "delete", "gone-1", "--output", "csv");
        Assert.That(deleted.Output, Is.EqualTo("deviceId,status\ngone-1,deleted\n"));
    }

    private string Query(string name, string text)
    {
        var file = Folder.Sub($"{name}.saql");
        File.WriteAllText(file, text);
        return file;
    }

    private Task<Command.Result> RunAsync(params string[] verb) =>
        Command.MillraceAsync(verb[^1] == "--help" ? verb : [.. verb, "--data", Folder.Path]);
}
