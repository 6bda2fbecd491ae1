using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Millrace.Primitives;
using Millrace.Registry.Identities;

namespace Millrace.Registry.Tests.Identities;

public class DeviceTagsTests
{
    private readonly DeviceTags _tags = new(new RegistryOptions { TagsBytesMax = new ByteSize(60), TagsDepthMax = 3 });

    // The examples of RFC 7396, appendix A, whose documents are objects.
    [TestCase("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [TestCase("""{"a":"b"}""", """{"a":null}""", "{}")]
    [TestCase("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [TestCase("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [TestCase("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [TestCase("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [TestCase("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [TestCase("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void A_patch_is_merged_as_the_standard_says(string tags, string patch, string expected) =>
        Assert.That(_tags.Merge(tags, Json(patch)), Is.EqualTo(expected));

    [Test]
    public void A_patch_merged_twice_changes_nothing_more()
    {
        var leaf = Gen.OneOfConst("1", "null", "\"x\"", "[2]", "{}");
        var flat = Gen.Select(leaf, leaf, (a, b) => $$"""{"a":{{a}},"b":{{b}}}""");
        var tags = Gen.Select(Gen.OneOf(leaf, flat), leaf, (a, b) => $$"""{"a":{{a}},"c":{{b}}}""");
        Gen.Select(tags, tags).Sample((before, patch) =>
        {
            var once = _tags.Merge(before, Json(patch));
            return JsonNode.DeepEquals(JsonNode.Parse(_tags.Merge(once, Json(patch))), JsonNode.Parse(once));
        }, iter: 500);
    }

    [Test]
    public void Null_in_place_of_the_tags_removes_them_all() =>
        Assert.That(_tags.Merge("""{"a":1}""", Json("null")), Is.EqualTo("{}"));

    [TestCase("[]")]
    [TestCase("\"text\"")]
    [TestCase("""{"a":1,"a":2}""")]
    [TestCase("""{"a":{"b":{"c":{"d":1}}}}""")]
    [TestCase("""{"a":"012345678901234567890123456789012345678901234567890123456789"}""")]
    public void Tags_over_a_limit_or_of_another_kind_are_refused(string tags)
    {
        var error = Assert.Throws<MillraceException>(() => _tags.New(Json(tags)));
        Assert.That(error!.Error.Code, Is.EqualTo("RG-0006"));
        error = Assert.Throws<MillraceException>(() => _tags.Merge("{}", Json(tags)));
        Assert.That(error!.Error.Code, Is.EqualTo("RG-0006"));
    }

    [Test]
    public void Bytes_that_are_no_UTF_8_are_refused()
    {
        byte[] tags = [.. "{\"a\":\""u8, 0xFF, .. "\"}"u8];
        var error = Assert.Throws<MillraceException>(() => _tags.New(JsonElement.Parse(tags)));
        Assert.That(error!.Error.Code, Is.EqualTo("RG-0006"));
    }

    [Test]
    public void Spaces_do_not_count() =>
        Assert.That(_tags.New(Json($$"""{ {{new string(' ', 200)}} "a" : 1 }""")), Is.EqualTo("""{"a":1}"""));

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
