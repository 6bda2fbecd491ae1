using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Millrace.Archiver.Rows;

/// <summary>The way to a field of a JSON object: the names of its members from the outside in, as UTF-8.</summary>
internal sealed record FieldPath(IReadOnlyList<byte[]> Names)
{
    /// <summary>Reads <c>a.b</c> or <c>$.a.b</c>; a name with dots in it cannot be written.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out FieldPath? path)
    {
        path = null;
        if (string.IsNullOrEmpty(text)) return false;
        var names = (text.StartsWith("$.", StringComparison.Ordinal) ? text[2..] : text).Split('.');
        if (names.Any(name => name.Length == 0 || name.AsSpan().ContainsAny("[]$\"'"))) return false;
        path = new FieldPath([.. names.Select(Encoding.UTF8.GetBytes)]);
        return true;
    }
}
