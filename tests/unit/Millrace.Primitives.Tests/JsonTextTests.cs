using System.Text;
using System.Text.Json;

namespace Millrace.Primitives.Tests;

public class JsonTextTests
{
    [TestCase("""{"a":"b","c":[1,true,null]}""", ExpectedResult = true)]
    [TestCase("""{"a":"\ud83d\ude00 \u00e5 \n \\ \" \\\\ud800 \\ud800"}""", ExpectedResult = true)]
    [TestCase("""{"a":"\ud800"}""", ExpectedResult = false)]
    [TestCase("""{"a":"\uDC00"}""", ExpectedResult = false)]
    [TestCase("""{"\udc00":1}""", ExpectedResult = false)]
    [TestCase("""["\ud83d\ude00","\\\ud800"]""", ExpectedResult = false)]
    [TestCase("""["\ud800\ud800\udc00"]""", ExpectedResult = false)]
    [TestCase("""["\ud800 \udc00"]""", ExpectedResult = false)]
    public bool Half_a_pair_is_found_wherever_it_is(string json)
    {
        var isSound = JsonText.IsSound(Encoding.UTF8.GetBytes(json));

        Assert.That(IsWritten(json), Is.EqualTo(isSound), "what the framework makes of it");
        return isSound;
    }

    [TestCase("""{"a":"\ud800"}""", """{"a":"\ufffd"}""")]
    [TestCase("""{"\udc00":"\ud800\ud83d\ude00"}""", """{"\ufffd":"\ufffd\ud83d\ude00"}""")]
    [TestCase("""["\\ud800"]""", """["\\ud800"]""")]
    public void What_is_no_text_is_replaced_and_the_rest_stays(string json, string expected) =>
        Assert.That(Encoding.UTF8.GetString(JsonText.Mended(Encoding.UTF8.GetBytes(json))), Is.EqualTo(expected));

    [Test]
    public void Bytes_that_are_no_UTF_8_are_no_text()
    {
        byte[] json = [.. "[\""u8, 0xFF, .. "\"]"u8];

        Assert.That(JsonText.IsSound(json), Is.False);
        Assert.That(Encoding.UTF8.GetString(JsonText.Mended(json)), Is.EqualTo("[\"\ufffd\"]"));
    }

    private static bool IsWritten(string json)
    {
        using var document = JsonDocument.Parse(json);
        using var writer = new Utf8JsonWriter(Stream.Null);
        try
        {
            document.RootElement.WriteTo(writer);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
