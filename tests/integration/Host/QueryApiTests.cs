using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>The life of stream queries on a running platform, as a client of the API sees it.</summary>
public class QueryApiTests() : PlatformTests(isShared: true)
{
    [TestCase("apply")]
    [TestCase("validate")]
    public async Task An_input_that_does_not_exist_is_told_with_its_place_and_what_would_fit(string how)
    {
        var path = how == "apply" ? "api/v1/queries" : "api/v1/queries/validate";
        using var answer = await Api.PostAsJsonAsync(path, new { name = "typo", text = "SELECT a\nFROM telemetri" });
        var found = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("diagnostics")[0];
        Assert.That(found.GetProperty("code").GetString(), Is.EqualTo("SQ-0007"));
        Assert.That(found.GetProperty("line").GetInt32(), Is.EqualTo(2));
        Assert.That(found.GetProperty("message").GetString(), Does.Contain("Did you mean telemetry?"));
    }

    [TestCase("api/v1/queries")]
    [TestCase("api/v1/queries/validate")]
    public async Task A_query_without_a_text_is_the_callers_mistake(string path)
    {
        using var answer = await Api.PostAsJsonAsync(path, new { name = "q" });
        Assert.That((answer.StatusCode, await CodeAsync(answer)), Is.EqualTo((HttpStatusCode.BadRequest, "AP-0004")));
    }

    [Test]
    public async Task A_query_cannot_come_to_read_what_it_writes_but_may_raise_alerts_from_alerts()
    {
        await ApplyAsync("loop-a", "SELECT * INTO ring_a FROM telemetry");
        await ApplyAsync("loop-b", "SELECT * INTO ring_b FROM ring_a");
        using var ring = await Api.PostAsJsonAsync(
            "api/v1/queries", new { name = "loop-a", text = "SELECT * INTO ring_a FROM Ring_B" });
        using var own = await Api.PostAsJsonAsync(
            "api/v1/queries", new { name = "loop-b", text = "SELECT * INTO ring_b FROM ring_b" });
        Assert.That((ring.StatusCode, await CodeAsync(ring)), Is.EqualTo((HttpStatusCode.Conflict, "AP-0010")));
        Assert.That((own.StatusCode, await CodeAsync(own)), Is.EqualTo((HttpStatusCode.Conflict, "AP-0010")));
        await ApplyAsync("worse", "SELECT 'critical' AS severity, * INTO alerts FROM alerts WHERE severity = 'none'");
    }

    [Test]
    public async Task A_paused_query_shows_what_it_has_not_read_and_goes_on_or_is_replaced_without_a_gap()
    {
        await ApplyAsync("gap", "SELECT test INTO gap FROM telemetry WHERE test = 'gap'", "earliest");
        await PublishAsync("gap");
        await RowsAsync("gap", 1);
        await ChangeAsync("gap/pause");
        var published = 1;
        await Eventually.TrueAsync(async () =>
        {
            // The pause takes effect at the next batch or soon after.
            await PublishAsync("gap");
            published++;
            return (await ShowAsync("gap")).GetProperty("status").GetProperty("lagRecords").GetInt64() >= 2;
        }, "two records wait");
        var status = (await ShowAsync("gap")).GetProperty("status");
        Assert.That(status.GetProperty("state").GetString(), Is.EqualTo("paused"));
        Assert.That(status.GetProperty("rowsInPerSecond").GetDouble(), Is.Zero);

        var second = await ApplyAsync("gap", "SELECT test AS t INTO gap FROM telemetry WHERE test = 'gap'");
        Assert.That(second.GetProperty("startFrom").GetString(), Is.EqualTo("last"));
        Assert.That(await RowsAsync("gap", published), Has.Count.EqualTo(published));
        await Eventually.TrueAsync(async () => (await ShowAsync("gap")).GetProperty("status") is
        { ValueKind: JsonValueKind.Object } now && now.GetProperty("lagRecords").GetInt64() == 0, "nothing waits");
        Assert.That((await ApplyAsync("gap", "SELECT test AS t INTO gap FROM telemetry WHERE test = 'gap'"))
            .GetProperty("version").GetInt32(), Is.EqualTo(2), "applied again unchanged");
    }

    [Test]
    public async Task Rows_of_a_deleted_query_stay_beside_those_of_the_next_of_its_name()
    {
        await ApplyAsync("again", "SELECT test AS old INTO again FROM telemetry WHERE test = 'again'", "earliest");
        await PublishAsync("again");
        await RowsAsync("again", 1);
        using var deleted = await Api.DeleteAsync("api/v1/queries/again");
        Assert.That(deleted.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await Api.GetAsync("api/v1/queries/again")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));

        var next = await ApplyAsync(
            "again", "SELECT test AS new INTO again FROM telemetry WHERE test = 'again'", "earliest");
        Assert.That(next.GetProperty("version").GetInt32(), Is.EqualTo(2));
        Assert.That((await RowsAsync("again", 2)).Select(row => row.GetRawText()),
            Is.EquivalentTo(new[] { """{"old":"again"}""", """{"new":"again"}""" }));
    }

    [Test]
    public async Task Where_rows_are_kept_is_changed_without_another_version()
    {
        const string Text = "SELECT test INTO kept FROM telemetry WHERE test = 'kept'";
        var first = await ApplyAsync("kept", Text);
        using var answer = await Api.PostAsJsonAsync(
            "api/v1/queries", new
            {
                name = "kept",
                text = Text,
                archiveOutputs = true,
                warmOutputs = false,
                stateBytesMax = "64MiB",
            });
        var second = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(first.GetProperty("archiveOutputs").GetBoolean(), Is.False);
        Assert.That(second.GetProperty("version").GetInt32(), Is.EqualTo(first.GetProperty("version").GetInt32()));
        var shown = await ShowAsync("kept");
        Assert.That(shown.GetProperty("archiveOutputs").GetBoolean(), Is.True);
        Assert.That(shown.GetProperty("warmOutputs").GetBoolean(), Is.False);
        Assert.That(shown.GetProperty("stateBytesMax").GetString(), Is.EqualTo("64MiB"));
        Assert.That(shown.GetProperty("startFrom").GetString(), Is.EqualTo("now"));
    }

    [Test]
    public async Task Rows_of_a_query_stop_being_kept_while_it_runs_and_are_kept_again()
    {
        const string Text = "SELECT test INTO warmth FROM telemetry WHERE test LIKE 'warmth%'";
        await ApplyAsync("warmth", Text);
        await PublishAsync("warmth-1");
        await RowsAsync("warmth", 1);
        await WarmAsync(false);
        var answered = 1;
        for (var i = 0; i < 2; i++)
        {
            await PublishAsync("warmth-2");
            answered++;
            await Eventually.TrueAsync(async () => (await ShowAsync("warmth")).GetProperty("status")
                .GetProperty("rowsOut").GetInt64() >= answered, "the query has answered");
        }

        await WarmAsync(true);
        await Eventually.TrueAsync(async () =>
        {
            await PublishAsync("warmth-3");
            return (await RowsAsync("warmth", 1)).Exists(row => row.GetProperty("test").GetString() == "warmth-3");
        }, "rows are kept again");
        var between = (await RowsAsync("warmth", 2)).Count(row => row.GetProperty("test").GetString() == "warmth-2");
        Assert.That(between, Is.LessThan(2), "the change takes effect by the first answer at the latest");

        async Task WarmAsync(bool isWarm)
        {
            using var answer = await Api.PostAsJsonAsync(
                "api/v1/queries", new { name = "warmth", text = Text, warmOutputs = isWarm });
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }
    }

    [TestCase("Telemetry")]
    [TestCase("job_load")]
    [TestCase("Taken")]
    public async Task An_output_is_not_archived_under_a_name_that_means_another_table(string output)
    {
        await ApplyAsync("taken", "SELECT test INTO taken FROM telemetry WHERE test = 'taken'");
        using var deleted = await Api.DeleteAsync("api/v1/queries/taken");
        using var answer = await Api.PostAsJsonAsync("api/v1/queries", new
        {
            name = "takes",
            text = $"SELECT test INTO {output} FROM lifecycle",
            archiveOutputs = true,
        });
        Assert.That((answer.StatusCode, await CodeAsync(answer)), Is.EqualTo((HttpStatusCode.Conflict, "AP-0011")));
    }

    private async Task<JsonElement> ApplyAsync(string name, string text, string? startFrom = null)
    {
        using var answer = await Api.PostAsJsonAsync("api/v1/queries", new { name, text, startFrom });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task ChangeAsync(string path) => Assert.That(
        (await Api.PostAsync($"api/v1/queries/{path}", null)).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));

    private Task<JsonElement> ShowAsync(string name) => Api.GetFromJsonAsync<JsonElement>($"api/v1/queries/{name}");

    private async Task PublishAsync(string test)
    {
        var publish = Platform.Printed.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith("mosquitto_pub"));
        var body = $"'{{\"test\": \"{test}\"}}'";
        var sent = await Command.ShellAsync(publish.Replace("""'{"temperature": 21.5}'""", body));
        Assert.That(sent.ExitCode, Is.Zero, sent.Error);
    }

    private async Task<List<JsonElement>> RowsAsync(string output, int atLeast)
    {
        List<JsonElement> rows = [];
        await Eventually.TrueAsync(async () =>
        {
            var page = await Api.GetFromJsonAsync<JsonElement>($"api/v1/outputs/{output}/rows?limit=100");
            rows = [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("row"))];
            return rows.Count >= atLeast;
        }, $"{output} has {atLeast} rows");
        return rows;
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
}
