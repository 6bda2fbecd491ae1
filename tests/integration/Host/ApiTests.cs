using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.Stores.Upgrades;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>The API of a running platform, as any client sees it.</summary>
public class ApiTests() : PlatformTests(isShared: true)
{
    [TestCase("api/v1/nothing", 404, "AP-0003")]
    [TestCase("api/v1/queries/none", 404, "AP-0003")]
    [TestCase("api/v1/devices/none", 404, "RG-0002")]
    [TestCase("api/v1/devices/none/latest", 404, "AP-0003")]
    [TestCase("api/v1/alerts?limit=0", 400, "AP-0004")]
    [TestCase("api/v1/alerts?limit=many", 400, "AP-0004")]
    [TestCase("api/v1/alerts?from=yesterday", 400, "AP-0004")]
    [TestCase("api/v1/alerts?continuation=x", 400, "ST-0002")]
    [TestCase("api/v1/alerts?severity=bad", 400, "AP-0004")]
    [TestCase("api/v1/dead-letters?state=bad", 400, "AP-0004")]
    [TestCase("api/v1/dead-letters?stage=bad", 400, "AP-0004")]
    [TestCase("api/v1/alerts/none/more", 404, "AP-0003")]
    [TestCase("api/v1/latest", 400, "AP-0004")]
    [TestCase("api/v1/telemetry", 400, "AP-0004")]
    [TestCase("api/v1/telemetry?device=a&device=b&limit=501", 400, "AP-0004")]
    [TestCase("api/v1/telemetry?device=a&device=b/c", 400, "MR-0001")]
    [TestCase("api/v1/devices?contains=a&contains=b", 400, "AP-0004")]
    [TestCase("api/v1/devices?tag=a=b&tag=c=d&prefix=a&Prefix=b", 400, "AP-0004")]
    [TestCase("api/v1/alerts?query=a&query=b", 400, "AP-0004")]
    [TestCase("api/v1/archive/history?table=a&table=b", 400, "AP-0004")]
    public async Task What_is_asked_wrongly_is_told_by_a_code(string path, int status, string code)
    {
        using var answer = await Api.GetAsync(path);
        Assert.That((int)answer.StatusCode, Is.EqualTo(status), await answer.Content.ReadAsStringAsync());
        Assert.That(await CodeAsync(answer), Is.EqualTo(code));
    }

    [TestCase("api/v1/alerts?severity=critical")]
    [TestCase("api/v1/dead-letters?state=replaying&stage=warm-writer")]
    [TestCase("api/v1/devices?tag=a=b&tag=c=d")]
    [TestCase("api/v1/devices/my-device?id=a&id=b&options=1&options=2")]
    public async Task What_is_asked_as_it_may_be_is_answered(string path)
    {
        using var answer = await Api.GetAsync(path);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
    }

    [TestCase("POST", "api/v1/queries/validate", "{}", "application/json", 400, "AP-0004", "text")]
    [TestCase("POST", "api/v1/queries/validate", """{"text":null}""", "application/json", 400, "AP-0004", "text")]
    [TestCase("POST", "api/v1/queries", "text=SELECT", "application/x-www-form-urlencoded", 415, "AP-0004", "JSON")]
    [TestCase("PUT", "api/v1/queries", "{}", "application/json", 405, "AP-0004", "PUT")]
    [TestCase("POST", "api/v1/tokens", """{"name":"a","scopes":["read",null]}""", "application/json", 400, "AP-0004",
        "scopes")]
    [TestCase("POST", "api/v1/queries", """{"name":"a","text":"SELECT 1","policy":7}""", "application/json", 400,
        "AP-0004", "policy")]
    [TestCase("POST", "api/v1/devices", """{"deviceId":"a","status":"0"}""", "application/json", 400, "AP-0004",
        "status")]
    [TestCase("GET", "api/v1/alerts?limit=many", null, null, 400, "AP-0004", "limit must be a whole number")]
    [TestCase("GET", "api/v1/alerts?limit=many", null, null, 400, "AP-0004", "\"many\"")]
    [TestCase("GET", "api/v1/alerts?from=yesterday", null, null, 400, "AP-0004", "from must be a time")]
    [TestCase("GET", "api/v1/positions?latitude=north", null, null, 400, "AP-0004", "latitude must be a number")]
    public async Task A_request_that_no_endpoint_takes_is_told_what_would_fit(
        string method, string path, string? body, string? type, int status, string code, string says)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, type!),
        };
        using var answer = await Api.SendAsync(request);
        Assert.That((int)answer.StatusCode, Is.EqualTo(status), await answer.Content.ReadAsStringAsync());
        Assert.That(await CodeAsync(answer), Is.EqualTo(code));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(says));
    }

    [TestCase("api/v1/queries/validate")]
    [TestCase("api/v1/devices")]
    [TestCase("api/v1/devices/my-device/messages")]
    public async Task A_body_in_an_encoding_that_there_is_not_is_told_what_would_fit(string path)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=bogus");
        using var answer = await Api.PostAsync(path, content);

        Assert.That((int)answer.StatusCode, Is.EqualTo(415), await answer.Content.ReadAsStringAsync());
        Assert.That(await CodeAsync(answer), Is.EqualTo("AP-0004"));
    }

    [Test]
    public async Task Times_are_UTC_with_a_Z()
    {
        var device = await Api.GetFromJsonAsync<JsonElement>("api/v1/devices/my-device");
        Assert.That(device.GetProperty("createdAt").GetString(), Does.EndWith("Z"));
    }

    [Test]
    public async Task A_body_that_is_no_JSON_is_told_by_a_code()
    {
        using var answer = await Api.PostAsync("api/v1/queries",
            new StringContent("{", Encoding.UTF8, "application/json"));
        Assert.That((answer.StatusCode, await CodeAsync(answer)), Is.EqualTo((HttpStatusCode.BadRequest, "AP-0004")));
    }

    [Test]
    public async Task A_query_that_does_not_compile_is_answered_with_places()
    {
        using var answer = await Api.PostAsJsonAsync("api/v1/queries",
            new { name = "q", text = "SELECT a INTO o FRM telemetry" });
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo("AP-0005"));
        Assert.That(problem.GetProperty("diagnostics")[0].GetProperty("line").GetInt32(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_scope_allows_what_it_includes_and_a_deleted_token_is_out_within_a_second()
    {
        using var made = await Api.PostAsJsonAsync("api/v1/tokens", new { name = "reader", scopes = new[] { "read" } });
        var token = await made.Content.ReadFromJsonAsync<JsonElement>();
        using var reader = new HttpClient { BaseAddress = Api.BaseAddress };
        reader.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer",
            token.GetProperty("text").GetString());

        Assert.That((await reader.GetAsync("api/v1/devices")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await reader.GetAsync("api/v1/devices/my-device/keys")).StatusCode,
            Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await reader.GetAsync("api/v1/audit")).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        var id = token.GetProperty("token").GetProperty("id").GetString();
        Assert.That((await Api.DeleteAsync($"api/v1/tokens/{id}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        await Eventually.TrueAsync(
            async () => (await reader.GetAsync("api/v1/devices")).StatusCode == HttpStatusCode.Unauthorized,
            "the deleted token is refused", TimeSpan.FromSeconds(1));
        Assert.That(await Api.GetStringAsync("api/v1/audit"), Does.Contain("token.delete"));
    }

    [Test]
    public async Task An_upgrade_is_finalised_by_an_administrator_and_that_is_written_down()
    {
        var state = await Api.GetFromJsonAsync<UpgradeState>("api/v1/upgrade");
        Assert.That(state, Is.EqualTo(new UpgradeState(state!.Known, state.Known, state.Known)));
        Assert.That(state.Known, Is.Positive);
        using var answer = await Api.PostAsync("api/v1/upgrade/finalise", null);
        Assert.That(await answer.Content.ReadFromJsonAsync<UpgradeState>(), Is.EqualTo(state));
        Assert.That(await Api.GetStringAsync("api/v1/audit"), Does.Contain("upgrade.finalise"));
    }

    [Test]
    public async Task Two_queries_cannot_write_one_output()
    {
        using var first = await Api.PostAsJsonAsync("api/v1/queries",
            new { name = "one", text = "SELECT * INTO o FROM telemetry" });
        using var second = await Api.PostAsJsonAsync("api/v1/queries",
            new { name = "two", text = "SELECT * INTO o FROM telemetry" });
        Assert.That(first.StatusCode, Is.EqualTo(HttpStatusCode.OK), await first.Content.ReadAsStringAsync());
        Assert.That((second.StatusCode, await CodeAsync(second)), Is.EqualTo((HttpStatusCode.Conflict, "AP-0007")));
        Assert.That((await Api.DeleteAsync("api/v1/queries/one")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
    }

    [Test]
    public async Task Health_metrics_and_the_OpenAPI_document_are_there()
    {
        Assert.That(await Api.GetStringAsync("healthz"), Is.EqualTo("Healthy"));
        Assert.That(await Api.GetStringAsync("readyz"), Is.EqualTo("""{"status":"Healthy","missing":{}}"""));
        Assert.That(await Api.GetStringAsync("metrics"), Does.Contain("millrace_").And.Contain("dotnet_"));
        var document = await Api.GetFromJsonAsync<JsonElement>("openapi/v1.json");
        var scheme = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("bearer");
        Assert.That(scheme.GetProperty("scheme").GetString(), Is.EqualTo("bearer"));
        var paths = document.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToList();
        Assert.That(paths,
            Is.SupersetOf(new[] { "/api/v1/devices", "/api/v1/queries", "/api/v1/tail", "/api/v1/cold/sql" }));
    }

    [Test]
    public async Task Each_operation_of_the_OpenAPI_document_says_how_it_fails()
    {
        var document = await Api.GetFromJsonAsync<JsonElement>("openapi/v1.json");
        var operations = document.GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith("/api/"))
            .SelectMany(path => path.Value.EnumerateObject().Where(o => o.Name is "get" or "post" or "put" or "patch"
                or "delete").Select(o => (Name: $"{o.Name} {path.Name}", o.Value))).ToList();
        Assert.That(operations, Has.Count.GreaterThan(40));
        Assert.Multiple(() =>
        {
            foreach (var (name, operation) in operations)
            {
                var responses = operation.GetProperty("responses");
                var failures = responses.EnumerateObject().Where(r => !r.Name.StartsWith('2')).ToList();
                Assert.That(failures.Select(r => r.Name), Is.SupersetOf(new[] { "401", "403", "default" }), name);
                Assert.That(failures.Select(r => r.Value.GetProperty("content").GetProperty("application/problem+json")
                    .GetProperty("schema").GetProperty("$ref").GetString()),
                    Is.All.EqualTo("#/components/schemas/Problem"), name);
            }
        });
        Assert.That(document.GetProperty("components").GetProperty("schemas").GetProperty("Problem")
            .GetProperty("required").EnumerateArray().Select(p => p.GetString()), Does.Contain("code"));
    }

    [Test]
    public async Task The_type_of_a_problem_is_the_address_of_its_page()
    {
        using var refused = await Api.PostAsJsonAsync("api/v1/tokens",
            new { name = "late", scopes = new[] { "read" }, expiresAt = DateTimeOffset.UnixEpoch });
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(problem.GetProperty("detail").GetString(), Does.StartWith("expiresAt must be in the future."));

        using var anybody = new HttpClient { BaseAddress = Api.BaseAddress };
        var page = await anybody.GetStringAsync(problem.GetProperty("type").GetString());
        Assert.That(page, Does.StartWith("# AP-0004"));
        Assert.That((await anybody.GetAsync("errors/XX-0000")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task The_live_tail_gives_what_comes_in_from_now_on()
    {
        using var response = await Api.GetAsync("api/v1/tail?device=my-device",
            HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        var publish = Platform.Printed.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith("mosquitto_pub"));
        var received = Task.Run(async () =>
        {
            while (await lines.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("data:") && line.Contains("temperature")) return line;
            }

            return "";
        });
        await Eventually.TrueAsync(async () =>
        {
            await Command.ShellAsync(publish);
            return received.IsCompleted;
        }, "the tail gives the message");
        Assert.That(await received, Does.Contain("\"temperature\":21.5"));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
}
