using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Millrace.Contracts;
using Millrace.Hosting.Http;
using Millrace.Stores;
using Millrace.Stores.DeviceStates;

namespace Millrace.Registry.Tests.Rest;

public class DeviceEndpointsTests
{
    private const string Punctuation = "-:.+%_#*?!(),=@$'";

    private RegistryFixture _fixture = null!;

    [OneTimeSetUp]
    public async Task Start() => _fixture = await RegistryFixture.StartAsync(o => o.PageDevicesMax = 50);

    [OneTimeTearDown]
    public async Task Stop() => await _fixture.DisposeAsync();

    [Test]
    public async Task A_device_is_made_shown_changed_and_deleted()
    {
        var (status, made, tag) = await _fixture.SendAsync(
            HttpMethod.Post, "", new { deviceId = "life", tags = new { site = "north", floor = 2 } });
        var generation = made!["generationId"]!.GetValue<string>();
        Assert.That((status, tag), Is.EqualTo((201, $"\"{generation}-1\"")));
        Assert.That(made["status"]!.GetValue<string>(), Is.EqualTo("enabled"));
        Assert.That(made["authentication"]!.GetValue<string>(), Is.EqualTo("keys"));
        Assert.That(made.ToJsonString(), Does.Not.Contain("Key"));

        (status, var changed, tag) = await _fixture.SendAsync(HttpMethod.Patch, "/life",
            """{"status":"disabled","statusReason":"lost","tags":{"site":null,"roof":true}}""", tag);
        Assert.That((status, tag), Is.EqualTo((200, $"\"{generation}-2\"")));
        Assert.That(changed!["tags"]!.ToJsonString(), Is.EqualTo("""{"floor":2,"roof":true}"""));

        (status, var shown, _) = await _fixture.SendAsync(HttpMethod.Get, "/life");
        Assert.That(JsonNode.DeepEquals(shown, changed), Is.True);
        Assert.That((await _fixture.SendAsync(HttpMethod.Delete, "/life")).Status, Is.EqualTo(204));
        Assert.That(await CodeAsync(HttpMethod.Get, "/life"), Is.EqualTo((404, "RG-0002")));
        Assert.That(await CodeAsync(HttpMethod.Delete, "/life"), Is.EqualTo((404, "RG-0002")));
    }

    [Test]
    public async Task A_change_with_an_old_tag_is_refused_and_changes_nothing()
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "tagged" });
        await _fixture.SendAsync(HttpMethod.Patch, "/tagged", """{"tags":{"a":1}}""", "\"1\"");

        Assert.That(await CodeAsync(HttpMethod.Patch, "/tagged", """{"tags":{"a":2}}""", "\"1\""),
            Is.EqualTo((412, "RG-0003")));
        Assert.That(await CodeAsync(HttpMethod.Patch, "/tagged", """{"tags":{"a":2}}""", "\"x\""),
            Is.EqualTo((400, "RG-0007")));
        var (_, device, _) = await _fixture.SendAsync(HttpMethod.Get, "/tagged");
        Assert.That(device!["tags"]!["a"]!.GetValue<int>(), Is.EqualTo(1));
        Assert.That((await _fixture.SendAsync(HttpMethod.Patch, "/tagged", "{}", "*")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task No_request_changes_a_device_that_was_made_anew_since()
    {
        var (_, _, tag) = await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "anew" });
        await _fixture.SendAsync(HttpMethod.Delete, "/anew");
        var (_, made, other) = await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "anew" });
        var (_, keys, _) = await _fixture.SendAsync(HttpMethod.Get, "/anew/keys");

        var refused = (412, "RG-0003");
        Assert.That(await CodeAsync(HttpMethod.Patch, "/anew", """{"tags":{"a":2}}""", tag), Is.EqualTo(refused));
        Assert.That(await CodeAsync(HttpMethod.Post, "/anew/disable", null, tag), Is.EqualTo(refused));
        Assert.That(await CodeAsync(HttpMethod.Post, "/anew/enable", null, tag), Is.EqualTo(refused));
        Assert.That(await CodeAsync(HttpMethod.Post, "/anew/keys/regenerate", """{"which":"both"}""", tag),
            Is.EqualTo(refused));
        Assert.That(await CodeAsync(HttpMethod.Delete, "/anew", null, tag), Is.EqualTo(refused));
        Assert.That(await CodeAsync(HttpMethod.Delete, "/anew", null, "\"77\""), Is.EqualTo(refused));

        var (_, shown, after) = await _fixture.SendAsync(HttpMethod.Get, "/anew");
        Assert.That(JsonNode.DeepEquals(shown, made) && after == other, "as it was made");
        Assert.That(JsonNode.DeepEquals((await _fixture.SendAsync(HttpMethod.Get, "/anew/keys")).Body, keys));
        Assert.That((await _fixture.SendAsync(HttpMethod.Delete, "/anew", null, other)).Status, Is.EqualTo(204));
    }

    [TestCase("""{"deviceid":"x"}""")]
    [TestCase("""{"status":"asleep"}""")]
    [TestCase("""{"status":null}""")]
    [TestCase("""{"status":1}""")]
    [TestCase("""{"status":"0"}""")]
    [TestCase("""{"status":"\ud800"}""")]
    [TestCase("""{"statusReason":"\ud800"}""")]
    [TestCase("""{"primaryThumbprint":5}""")]
    [TestCase("""{"primaryThumbprint":["\ud800"]}""")]
    [TestCase("""{"\ud800":1}""")]
    [TestCase("[]")]
    public async Task A_patch_that_says_what_it_cannot_is_refused(string patch)
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "patched" });
        Assert.That(await CodeAsync(HttpMethod.Patch, "/patched", patch), Is.EqualTo((400, "RG-0007")));
    }

    [TestCase("""{"a":"\ud800"}""")]
    [TestCase("""{"\udc00":{"a":1}}""")]
    [TestCase("""{"a":[{"b":"\ud800x"}]}""")]
    public async Task Tags_that_hold_what_is_no_text_are_refused(string tags)
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "told" });

        Assert.That(await CodeAsync(HttpMethod.Post, "", $$"""{"deviceId":"untold","tags":{{tags}}}"""),
            Is.EqualTo((400, "RG-0006")));
        Assert.That(await CodeAsync(HttpMethod.Patch, "/told", $$"""{"tags":{{tags}}}"""),
            Is.EqualTo((400, "RG-0006")));
    }

    [Test]
    public async Task Of_many_devices_none_is_made_where_one_is_null()
    {
        Assert.That(await CodeAsync(HttpMethod.Post, "/batch", """[{"deviceId":"beside-null"},null]"""),
            Is.EqualTo((400, "RG-0007")));
        Assert.That(await CodeAsync(HttpMethod.Get, "/beside-null"), Is.EqualTo((404, "RG-0002")));
    }

    [Test]
    public async Task A_problem_names_code_value_and_remedy()
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "twice" });
        var (status, problem, _) = await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "twice" });

        Assert.That(status, Is.EqualTo(409));
        Assert.That(problem!["code"]!.GetValue<string>(), Is.EqualTo("RG-0001"));
        Assert.That(problem["value"]!.GetValue<string>(), Is.EqualTo("twice"));
        Assert.That(problem["detail"]!.GetValue<string>(), Does.Contain("Choose another id"));
    }

    [Test]
    public async Task A_field_that_there_is_not_makes_no_device()
    {
        var (status, _, _) = await _fixture.SendAsync(
            HttpMethod.Post, "", new { deviceId = "typo", thumbprint = new string('A', 64) });
        Assert.That(status, Is.EqualTo(400));
        Assert.That((await _fixture.SendAsync(HttpMethod.Get, "/typo")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task Keys_are_shown_and_made_anew_under_their_own_path()
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "keyed" });
        var (_, before, _) = await _fixture.SendAsync(HttpMethod.Get, "/keyed/keys");
        var (status, after, _) = await _fixture.SendAsync(
            HttpMethod.Post, "/keyed/keys/regenerate", new { which = "secondary" });

        Assert.That(status, Is.EqualTo(200));
        Assert.That(after!["primaryKey"]!.ToJsonString(), Is.EqualTo(before!["primaryKey"]!.ToJsonString()));
        Assert.That(after["secondaryKey"]!.ToJsonString(), Is.Not.EqualTo(before["secondaryKey"]!.ToJsonString()));
        Assert.That(await CodeAsync(HttpMethod.Get, "/nobody/keys"), Is.EqualTo((404, "RG-0002")));
        Assert.That(await CodeAsync(HttpMethod.Post, "/keyed/keys/regenerate", """{"which":9}"""),
            Is.EqualTo((400, "RG-0007")));
    }

    [Test]
    public async Task Disabling_and_enabling_keep_the_reason_no_longer_than_it_holds()
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "switched" });
        var (_, disabled, _) = await _fixture.SendAsync(HttpMethod.Post, "/switched/disable?reason=under%20repair");
        Assert.That((disabled!["status"]!.GetValue<string>(), disabled["statusReason"]!.GetValue<string>()),
            Is.EqualTo(("disabled", "under repair")));
        var (_, enabled, _) = await _fixture.SendAsync(HttpMethod.Post, "/switched/enable");
        Assert.That(enabled!["status"]!.GetValue<string>(), Is.EqualTo("enabled"));
        Assert.That(enabled["statusReason"], Is.Null);
    }

    [Test]
    public async Task The_list_goes_on_from_its_token_and_shows_who_is_connected()
    {
        var ids = Enumerable.Range(0, 23).Select(i => $"list-{i:00}").ToList();
        var devices = new JsonArray([.. ids.Append("lisu").Select(id => new JsonObject { ["deviceId"] = id })]);
        var (_, made, _) = await _fixture.SendAsync(HttpMethod.Post, "/batch", devices.ToJsonString());
        Assert.That(made!["created"]!.GetValue<int>(), Is.EqualTo(24));
        await _fixture.Get<IDeviceStateStore>().WriteAsync(new TopicPartition(Topics.Lifecycle, 0),
            [new LifecycleEvent(LifecycleKind.Connected, "list-07", DateTimeOffset.UnixEpoch, ConnectionId: "c")],
            new SinkPosition(1));

        var got = new List<(string, bool)>();
        string? token = null;
        do
        {
            var (_, page, _) = await _fixture.SendAsync(
                HttpMethod.Get, $"?prefix=list-&limit=5{(token is null ? "" : "&continuation=" + token)}");
            got.AddRange(page!["items"]!.AsArray().Select(
                i => (i!["deviceId"]!.GetValue<string>(), i["connected"]!.GetValue<bool>())));
            token = page["continuation"]?.GetValue<string>();
        }
        while (token is not null);
        Assert.That(got, Is.EqualTo(ids.Select(id => (id, id == "list-07"))));
    }

    [Test]
    public async Task A_search_is_for_what_every_part_of_it_says()
    {
        await _fixture.SendAsync(HttpMethod.Post, "/batch", new JsonArray([.. Enumerable.Range(0, 8).Select(
            i => new JsonObject
            {
                ["deviceId"] = $"Sought-{i}",
                ["status"] = i < 6 ? "enabled" : "disabled",
                ["tags"] = new JsonObject { ["at"] = new JsonObject { ["site"] = i % 2 == 0 ? "å&b" : "south" } },
            })]).ToJsonString());

        Assert.That(await FoundAsync("?contains=sought"), Is.EqualTo(new[] { 0, 1, 2, 3, 4, 5, 6, 7 }));
        Assert.That(await FoundAsync("?prefix=Sought&status=disabled"), Is.EqualTo(new[] { 6, 7 }));
        Assert.That(await FoundAsync("?tag=at.site%3D%C3%A5%26b"), Is.EqualTo(new[] { 0, 2, 4, 6 }));
        Assert.That(await FoundAsync("?tag=at.site=south&contains=OUGHT&status=enabled"),
            Is.EqualTo(new[] { 1, 3, 5 }));
        Assert.That(await FoundAsync("?tag=at.site=south&tag=at.site=north"), Is.Empty);
        Assert.That(await FoundAsync("?prefix=Sought&contains=&status=&tag="), Has.Exactly(8).Items);
        Assert.That(await FoundAsync("?prefix=Sought&tag=at.site="), Is.Empty);

        async Task<IEnumerable<int>> FoundAsync(string query)
        {
            var (_, page, _) = await _fixture.SendAsync(HttpMethod.Get, query);
            return page!["items"]!.AsArray().Select(i => i!["deviceId"]!.GetValue<string>()[^1] - '0');
        }
    }

    [TestCase("?status=on", "RG-0007")]
    [TestCase("?tag=site", "RG-0007")]
    [TestCase("?limit=0", "RG-0007")]
    [TestCase("?limit=51", "RG-0007")]
    [TestCase("?continuation=nonsense", "ST-0002")]
    public async Task A_list_that_cannot_be_is_refused(string query, string code) =>
        Assert.That(await CodeAsync(HttpMethod.Get, query), Is.EqualTo((400, code)));

    [Test]
    public async Task Every_legal_device_id_can_be_asked_for_by_its_path()
    {
        var round = 0;
        var character = Gen.Frequency((1, Gen.Char.AlphaNumeric), (2, Gen.Char[Punctuation]));
        await character.Array[1, 40].SampleAsync(async characters =>
        {
            var id = $"{new string(characters)}~".TrimEnd('~') + Interlocked.Increment(ref round);
            await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = id });
            var path = "/" + Uri.EscapeDataString(id);
            var (status, shown, _) = await _fixture.SendAsync(HttpMethod.Get, path);
            var keys = (await _fixture.SendAsync(HttpMethod.Get, path + "/keys")).Body;
            return status == 200 && shown!["deviceId"]!.GetValue<string>() == id &&
                keys!["deviceId"]!.GetValue<string>() == id &&
                (await _fixture.SendAsync(HttpMethod.Delete, path)).Status == 204;
        }, iter: 100, threads: 1);
    }

    [Test]
    public async Task Reading_does_not_allow_changing_or_seeing_keys()
    {
        await _fixture.SendAsync(HttpMethod.Post, "", new { deviceId = "guarded" });
        using var reader = _fixture.Client(ApiScopes.Read);
        using var nobody = _fixture.Client();
        const string device = "/api/v1/devices/guarded";

        Assert.That((await reader.GetAsync(device)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await reader.GetAsync(device + "/keys")).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await reader.DeleteAsync(device)).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await reader.PostAsync(device + "/disable", null)).StatusCode,
            Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await reader.PostAsJsonAsync("/api/v1/devices", new { deviceId = "x" })).StatusCode,
            Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await nobody.GetAsync(device)).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    private async Task<(int, string?)> CodeAsync(
        HttpMethod method, string path, object? body = null, string? ifMatch = null)
    {
        var (status, problem, _) = await _fixture.SendAsync(method, path, body, ifMatch);
        return (status, problem?["code"]?.GetValue<string>());
    }
}
