using System.Text.Json;

namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>The way to a field of a JSON object: <c>$.a.b</c>.</summary>
internal sealed class JsonPath
{
    private readonly string[] _names;

    private JsonPath(string[] names) => _names = names;

    public static JsonPath? TryParse(string text)
    {
        if (!text.StartsWith("$.", StringComparison.Ordinal)) return null;
        var names = text[2..].Split('.');
        return names.All(name => name.Length > 0) ? new JsonPath(names) : null;
    }

    /// <summary>The field, or null where there is none. Of fields with the same name the last counts.</summary>
    public JsonElement? Find(JsonElement root)
    {
        foreach (var name in _names)
        {
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out root)) return null;
        }

        return root;
    }
}
