using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Host;

/// <summary>From a device's message to where it is, by API and verb.</summary>
public class PositionTests() : PlatformTests(isShared: true, ("StreamProcessor:Position", "gps"))
{
    private const string Sent = """{"gps":"52.52|13.405|34"}""";

    [OneTimeSetUp]
    public async Task PublishAsync()
    {
        await Eventually.TrueAsync(() => Platform.Printed.Contains("mosquitto_pub"), "the platform says how to send");
        var publish = Platform.Printed.Split('\n').First(l => l.Contains("mosquitto_pub")).Trim();
        var line = publish.Replace("""'{"temperature": 21.5}'""", $"'{Sent}'");
        Assert.That(line, Is.Not.EqualTo(publish));
        Assert.That((await Command.ShellAsync(line)).ExitCode, Is.Zero, line);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await Api.GetAsync("api/v1/devices/my-device/position");
            return answer.IsSuccessStatusCode;
        }, "the position is kept");
    }

    [TestCase("latitude=52.5&longitude=13.4&radius=10000", 1)]
    [TestCase("latitude=52.5&longitude=13.4&radius=1000", 0)]
    [TestCase("south=52&west=13&north=53&east=14", 1)]
    [TestCase("south=52&west=14&north=53&east=13", 0)]
    public async Task Devices_are_found_by_area(string query, int count)
    {
        var page = await Api.GetFromJsonAsync<JsonElement>($"api/v1/positions?{query}");
        Assert.That(page.GetProperty("items").GetArrayLength(), Is.EqualTo(count));
    }

    [TestCase("latitude=52.5&longitude=13.4")]
    [TestCase("latitude=91&longitude=13.4&radius=1")]
    [TestCase("latitude=1&longitude=1&radius=1&south=0")]
    [TestCase("south=3&west=1&north=2&east=1")]
    public async Task An_area_that_is_none_is_told_by_a_code(string query)
    {
        using var answer = await Api.GetAsync($"api/v1/positions?{query}");
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(((int)answer.StatusCode, problem.GetProperty("code").GetString()), Is.EqualTo((400, "AP-0004")));
    }

    [Test]
    public async Task A_position_says_who_when_and_how_high()
    {
        var position = await Api.GetFromJsonAsync<JsonElement>("api/v1/devices/my-device/position");
        Assert.That(position.GetProperty("latitude").GetDouble(), Is.EqualTo(52.52));
        Assert.That(position.GetProperty("longitude").GetDouble(), Is.EqualTo(13.405));
        Assert.That(position.GetProperty("altitude").GetDouble(), Is.EqualTo(34));
        Assert.That(position.GetProperty("eventAt").GetString(), Does.EndWith("Z"));
    }

    [Test]
    public async Task The_verb_prints_who_is_near_and_how_far_away()
    {
        var near = await RunAsync("device", "near", "52.5,13.4", "--radius", "5km", "--output", "csv");
        Assert.That(near.Error, Is.Empty);
        Assert.That(near.Output.ReplaceLineEndings("\n"),
            Does.StartWith("device,latitude,longitude,altitude,metres away,at\nmy-device,52.52,13.405,34,2249.5,"));
        var far = await RunAsync("device", "near", "52.5,13.4", "--radius", "500m", "--output", "json");
        Assert.That(far.Output.Trim(), Is.EqualTo("[]"));
        var boxed = await RunAsync("device", "near", "--box", "52,13,53,14", "--output", "json");
        Assert.That(boxed.Output, Does.Contain("my-device"));
    }

    [Test]
    public async Task A_device_that_is_deleted_is_nowhere_and_its_telemetry_stays()
    {
        using (var client = await Platform.ConnectAsync("leaver", await Platform.RegisterAsync("leaver")))
        {
            var sent = await client.PublishStringAsync(
                "telemetry", """{"gps":"10|10"}""", MqttQualityOfServiceLevel.AtLeastOnce);
            Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        }

        await Eventually.TrueAsync(async () => await StatusAsync("position") == HttpStatusCode.OK
            && await StatusAsync("latest") == HttpStatusCode.OK, "it is known");
        string[] near = ["device", "near", "--box", "9,9,11,11", "--output", "json"];
        Assert.That((await RunAsync(near)).Output, Does.Contain("leaver"));

        var deleted = await RunAsync("device", "delete", "leaver");
        Assert.That(deleted.ExitCode, Is.Zero, deleted.Error);
        await Eventually.TrueAsync(async () => await StatusAsync("position") == HttpStatusCode.NotFound
            && await StatusAsync("latest") == HttpStatusCode.NotFound, "it is forgotten");
        Assert.That((await RunAsync(near)).Output.Trim(), Is.EqualTo("[]"));
        var rows = await Api.GetFromJsonAsync<JsonElement>("api/v1/devices/leaver/telemetry");
        Assert.That(rows.GetProperty("items").GetArrayLength(), Is.EqualTo(1));
    }

    [TestCase("near")]
    [TestCase("near", "52.5")]
    [TestCase("near", "52.5,13.4", "--radius", "far")]
    [TestCase("near", "--box", "1,2,3")]
    public async Task An_area_that_cannot_be_read_is_wrong_usage(params string[] verb)
    {
        var wrong = await RunAsync(["device", .. verb]);
        Assert.That(wrong.ExitCode, Is.EqualTo(2));
        Assert.That(wrong.Error, Does.Contain("CL-0006"));
    }

    private async Task<HttpStatusCode> StatusAsync(string what)
    {
        using var answer = await Api.GetAsync($"api/v1/devices/leaver/{what}");
        return answer.StatusCode;
    }

    private Task<Command.Result> RunAsync(params string[] verb) =>
        Command.MillraceAsync([.. verb, "--data", Folder.Path]);
}
