using System.Text.Json;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Whether a device has a tag with a value.</summary>
internal readonly record struct DeviceTagTest(string Name, string Value)
{
    public static bool TryParse(string text, out DeviceTagTest test)
    {
        var at = text.IndexOf('=');
        test = at > 0 ? new DeviceTagTest(text[..at], text[(at + 1)..]) : default;
        return at > 0;
    }

    public bool Holds(JsonElement tags) =>
        tags.ValueKind == JsonValueKind.Object && tags.TryGetProperty(Name, out var tag) && tag.ValueKind switch
        {
            JsonValueKind.String => tag.ValueEquals(Value),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => tag.GetRawText() == Value,
            _ => false,
        };
}
