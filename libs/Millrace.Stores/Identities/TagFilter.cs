using System.Globalization;
using System.Text.Json;

namespace Millrace.Stores.Identities;

/// <summary>A tag has a value, or a list as which it is given has it among others.</summary>
/// <param name="Path">The tag's name; dots lead into objects.</param>
/// <param name="Value">Text as it is; a number, <c>true</c> or <c>false</c> as JSON writes it.</param>
public sealed record TagFilter(string Path, string Value)
{
    /// <summary>Reads <c>site=north</c>; null when there is no name before the sign.</summary>
    public static TagFilter? Read(string text)
    {
        var sign = text.IndexOf('=');
        return sign > 0 ? new TagFilter(text[..sign], text[(sign + 1)..]) : null;
    }

    internal bool Matches(JsonElement tags) => Matches(tags, Path);

    /// <summary>Names may have dots of their own, so that there may be several ways.</summary>
    private bool Matches(JsonElement tags, ReadOnlySpan<char> path)
    {
        if (tags.ValueKind != JsonValueKind.Object) return false;
        if (tags.TryGetProperty(path, out var whole) && Has(whole)) return true;
        for (var dot = path.LastIndexOf('.'); dot > 0; dot = path[..dot].LastIndexOf('.'))
        {
            if (tags.TryGetProperty(path[..dot], out var inner) && Matches(inner, path[(dot + 1)..])) return true;
        }

        return false;
    }

    private bool Has(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.ValueEquals(Value),
        JsonValueKind.Number => IsNumber(value),
        JsonValueKind.True => Value == "true",
        JsonValueKind.False => Value == "false",
        JsonValueKind.Array => value.EnumerateArray().Any(Has),
        _ => false,
    };

    /// <summary>Long ones, such as serial numbers, to the last digit.</summary>
    private bool IsNumber(JsonElement tag) =>
        tag.TryGetDecimal(out var exact)
        && decimal.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var wanted)
            ? exact == wanted
            : double.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && tag.TryGetDouble(out var rounded) && rounded.Equals(number);
}
