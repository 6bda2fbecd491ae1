using System.Text;
using System.Text.Json;
using Millrace.Api.Alerts;
using Millrace.Api.Queries;
using Millrace.Api.Telemetry;
using Millrace.Contracts;

namespace Millrace.Api.Tests;

public class TelemetryItemTests
{
    private const string Deep = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        + "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";

    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    [TestCase("""{"a":"\ud83d\ude00"}""", true)]
    [TestCase("""{"a":"\ud800"}""", false)]
    [TestCase("""{"\udc00":1}""", false)]
    [TestCase("not JSON", false)]
    public void A_body_is_shown_as_JSON_when_it_can_be_and_else_as_its_bytes(string body, bool isJson) =>
        AssertShown(Encoding.UTF8.GetBytes(body), isJson);

    [Test]
    public void A_body_that_is_no_UTF_8_is_shown_as_its_bytes() => AssertShown([.. "[\""u8, 0xFF, .. "\"]"u8], false);

    [TestCase(1)]
    [TestCase(56)]
    [TestCase(57)]
    [TestCase(62)]
    [TestCase(64)]
    public void A_body_is_shown_however_deep_it_is(int levels)
    {
        var body = Encoding.UTF8.GetBytes(new string('[', levels) + new string(']', levels));
        using var shown = JsonDocument.Parse(JsonSerializer.Serialize(
            new TelemetryPages([new TelemetryOfDevice("pump", [TelemetryItem.Of(Message(body))], null)]), Web));

        var item = shown.RootElement.GetProperty("items")[0].GetProperty("items")[0];
        Assert.That(item.TryGetProperty("body", out _), Is.EqualTo(levels <= 56));
        Assert.That(item.TryGetProperty("bodyBase64", out _), Is.EqualTo(levels > 56));
    }

    [TestCase("""{"x":"\ud800","t":1}""")]
    [TestCase(Deep)]
    public void A_row_that_cannot_stand_in_an_answer_is_shown_as_its_text(string json)
    {
        var row = new OutputRow("r", "hot", "q", 1, DateTimeOffset.UnixEpoch, json);
        var alert = new AlertRow("r", "q", 1, "pump", AlertSeverity.Warning, "hot", DateTimeOffset.UnixEpoch, json);

        Assert.That(Shown(OutputItem.Of(row), "Row"), Is.EqualTo(json));
        Assert.That(Shown(AlertItem.Of(alert), "Details"), Is.EqualTo(json));
    }

    private static string? Shown<T>(T item, string field) =>
        JsonSerializer.SerializeToElement(item).GetProperty(field).GetString();

    private static void AssertShown(byte[] body, bool isJson)
    {
        using var shown = JsonDocument.Parse(JsonSerializer.Serialize(TelemetryItem.Of(Message(body)), Web));

        Assert.That(shown.RootElement.TryGetProperty("body", out _), Is.EqualTo(isJson));
        Assert.That(shown.RootElement.TryGetProperty("bodyBase64", out var base64), Is.Not.EqualTo(isJson));
        if (!isJson) Assert.That(base64.GetBytesFromBase64(), Is.EqualTo(body));
    }

    private static TelemetryMessage Message(byte[] body) => new()
    {
        DeviceId = "pump",
        Partition = 0,
        Offset = 0,
        EnqueuedAtMs = 0,
        EventAtMs = 0,
        Properties = new Dictionary<string, string>(),
        Body = body,
    };
}
