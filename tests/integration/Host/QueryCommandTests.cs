using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>millrace query and deadletter against a running platform, as an author uses them.</summary>
public class QueryCommandTests() : PlatformTests(isShared: false)
{
    [Test]
    public async Task A_query_is_applied_looked_at_mended_paused_and_deleted()
    {
        var file = Folder.Sub("numbers.saql");
        await File.WriteAllTextAsync(file, "SELECT CAST(s AS bigint) AS n INTO numbers FROM telemetry");
        Assert.That(await MillraceAsync("validate", file), Does.Contain("; writes numbers"));
        Assert.That(await MillraceAsync("apply", file, "--from", "earliest", "--late", "1m", "--policy", "drop"),
            Does.Contain("numbers version 1: running"));
        await PublishAsync("7");
        await PublishAsync("seven");
        await Eventually.TrueAsync(async () =>
            (await MillraceAsync("rows", "numbers", "--output", "csv")).Contains("\"\"n\"\":7"), "7 is a row");
        var letter = JsonDocument.Parse(await LettersAsync()).RootElement[0].GetProperty("id").GetString()!;
        Assert.That(letter, Does.StartWith("query~numbers~1~telemetry~"));

        await File.WriteAllTextAsync(file, "SELECT s AS n INTO numbers FROM telemetry");
        Assert.That(await MillraceAsync("apply", file, "--late", "1m", "--policy", "drop"), Does.Contain("version 2"));
        await Eventually.TrueAsync(async () => (await MillraceAsync("show", "numbers", "--output", "json"))
            .Contains("rowsIn"), "version 2 runs");
        Assert.That((await Command.MillraceAsync(
            "deadletter", "replay", letter, "--data", Folder.Path)).ExitCode, Is.Zero);
        await Eventually.TrueAsync(async () =>
            (await MillraceAsync("rows", "numbers", "--output", "csv")).Contains("seven"), "the letter is a row");

        Assert.That(await MillraceAsync("explain", "numbers"), Does.Contain("-> numbers: n"));
        Assert.That(JsonDocument.Parse(await MillraceAsync("explain", "numbers", "--output", "json"))
            .RootElement.GetProperty("plan").GetString(), Does.Contain("-> numbers: n"));
        Assert.That(await MillraceAsync("pause", "numbers"), Is.EqualTo("numbers: paused\n"));
        Assert.That(await MillraceAsync("list", "--output", "csv"), Does.Contain("numbers,2,paused"));
        Assert.That(await MillraceAsync("resume", "numbers", "--output", "csv"),
            Is.EqualTo("name,state\nnumbers,running\n"));
        Assert.That(await MillraceAsync("list", "--output", "csv"), Does.Contain("numbers,2,running"));
        await MillraceAsync("delete", "numbers");
        Assert.That(await MillraceAsync("list", "--output", "json"), Does.Not.Contain("numbers"));
        Assert.That(await MillraceAsync("show", "numbers"), Does.Contain("AP-0003"));
    }

    [Test]
    public async Task What_is_wrong_with_a_text_is_told_with_its_place_when_it_is_applied()
    {
        var file = Folder.Sub("typo.saql");
        await File.WriteAllTextAsync(file, "SELECT LENN(a)\nFROM telemetri");
        var told = await MillraceAsync("apply", file);
        Assert.That(told, Does.Contain("line 1, column 8").And.Contain("Did you mean LEN?"));
        Assert.That(told, Does.Contain("line 2, column 6").And.Contain("Did you mean telemetry?"));
    }

    [Test]
    public async Task A_warning_is_told_by_each_verb_and_keeps_no_query_from_being_applied()
    {
        var (file, lines) = (Folder.Sub("slip.saql"), Folder.Sub("lines.jsonl"));
        await File.WriteAllTextAsync(file, "SELECT a INTO slips\nFROM telemetry WHERE b = NULL");
        await File.WriteAllTextAsync(lines, "{\"a\":1}\n");
        string[] hub = ["--data", Folder.Path];
        foreach (var verb in new string[][]
        {
            ["validate", file], ["validate", file, .. hub], ["explain", file], ["apply", file, .. hub],
            ["explain", "slip", .. hub],
            ["run", file, "--input", $"telemetry={lines}", "--output", Folder.Sub("slips")],
        })
        {
            var done = await Command.MillraceAsync(["query", .. verb]);
            Assert.That(done.ExitCode, Is.Zero, done.Error);
            Assert.That(done.Error, Does.Contain("SQ-0403 (warning) line 2, column 22: ").And.Contain("b IS NULL")
                .And.Contain("\n                     ^^^^^^^^\n"), verb[0]);
        }

        var shown = JsonDocument.Parse(await MillraceAsync("show", "slip", "--output", "json")).RootElement;
        Assert.That(shown.GetProperty("warnings")[0].GetProperty("severity").GetString(), Is.EqualTo("warning"));
        Assert.That(Platform.Printed, Does.Contain("Query slip version 1 begins, and is hardly as meant: SQ-0403"));
    }

    [Test]
    public async Task A_text_that_scores_is_validated_by_the_models_of_the_platform_or_of_files()
    {
        var (query, onnx, model) = (Folder.Sub("score.saql"), Folder.Sub("sum.onnx"), Folder.Sub("sum.model"));
        await File.WriteAllTextAsync(query, "SELECT ML_SCORE('sum', a) AS s INTO scored FROM telemetry");
        await File.WriteAllBytesAsync(onnx, TinyOnnx.WeightedSum(1, 1));
        Assert.That(await MillraceAsync("validate", query), Does.StartWith("valid"), "without a platform");
        Assert.That(await MillraceAsync("validate", query, "--data", Folder.Path),
            Does.StartWith("SQ-0022 line 1, column 17: There is no promoted model 'sum'."));

        foreach (var verb in new[]
        {
            $"register sum --file {onnx} --features a,b", "promote sum 1", $"export sum 1 --file {model}",
        })
        {
            var done = await Command.MillraceAsync(["model", .. verb.Split(' '), "--data", Folder.Path]);
            Assert.That(done.ExitCode, Is.Zero, done.Error);
        }

        foreach (var known in new[] { new[] { "--data", Folder.Path }, ["--model", $"sum={model}"] })
        {
            await File.WriteAllTextAsync(query, "SELECT ML_SCORE('sum', a) AS s INTO scored FROM telemetry");
            Assert.That(await MillraceAsync(["validate", query, .. known]),
                Does.StartWith("SQ-0005 line 1, column 8: ML_SCORE('sum', a, b) takes 2 features; found 1."));
            await File.WriteAllTextAsync(query, "SELECT ML_SCORE('sum', a, b) AS s INTO scored FROM telemetry");
            Assert.That(await MillraceAsync(["validate", query, .. known]),
                Is.EqualTo("valid; reads telemetry; writes scored\n"));
        }

        Assert.That(await MillraceAsync("validate", query, "--data", Folder.Path, "--model", $"sum={model}"),
            Does.StartWith("CL-0006"));
    }

    private async Task<string> LettersAsync()
    {
        var letters = "[]";
        await Eventually.TrueAsync(async () =>
        {
            var listed = await Command.MillraceAsync("deadletter", "list", "--output", "json", "--data", Folder.Path);
            return (letters = listed.Output).Contains("SQ-0102");
        }, "the dead letter is listed");
        return letters;
    }

    private async Task PublishAsync(string text)
    {
        var publish = Platform.Printed.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith("mosquitto_pub"));
        var sent = await Command.ShellAsync(
            publish.Replace("""'{"temperature": 21.5}'""", $"'{{\"s\": \"{text}\"}}'"));
        Assert.That(sent.ExitCode, Is.Zero, sent.Error);
    }

    private async Task<string> MillraceAsync(params string[] arguments)
    {
        string[] data = arguments[0] == "validate" ? [] : ["--data", Folder.Path];
        var result = await Command.MillraceAsync(["query", .. arguments, .. data]);
        return result.ExitCode == 0 ? result.Output : result.Error;
    }
}
