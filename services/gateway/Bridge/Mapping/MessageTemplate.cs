using System.Text;

namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>Text in which <c>{name}</c> and <c>{$.a.b}</c> stand for values of a message.</summary>
internal sealed class MessageTemplate
{
    private readonly Part[] _parts;

    private MessageTemplate(Part[] parts) => _parts = parts;

    /// <summary>The names that it asks for.</summary>
    public IEnumerable<string> Names => _parts.Where(part => part.Kind == PartKind.Name).Select(part => part.Text);

    /// <summary>It is the same text for every message.</summary>
    public bool IsConstant => _parts.All(part => part.Kind == PartKind.Text);

    public static MessageTemplate? TryParse(string text)
    {
        var parts = new List<Part>();
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var open = rest.IndexOfAny('{', '}');
            if (open < 0) open = rest.Length;
            if (open > 0) parts.Add(new Part(PartKind.Text, rest[..open].ToString(), null));
            rest = rest[open..];
            if (rest.IsEmpty) break;
            var close = rest.IndexOf('}');
            if (rest[0] != '{' || close < 2) return null;
            if (Placeholder(rest[1..close].ToString()) is not { } part) return null;
            parts.Add(part);
            rest = rest[(close + 1)..];
        }

        return new MessageTemplate([.. parts]);
    }

    /// <summary>Appends the text for this message; gives the first placeholder that it has no value for.</summary>
    /// <param name="escape">What is done to each value before it is put in, by its name or path.</param>
    public string? Render(StringBuilder target, MessageFields fields, Func<string, string, string>? escape = null)
    {
        foreach (var part in _parts)
        {
            var value = part.Kind switch
            {
                PartKind.Text => part.Text,
                PartKind.Name => fields.Named(part.Text),
                _ => fields.Text(part.Path!),
            };
            if (value is null) return $"{{{part.Text}}}";
            target.Append(escape is null || part.Kind == PartKind.Text ? value : escape(part.Text, value));
        }

        return null;
    }

    private static Part? Placeholder(string text)
    {
        if (text[0] != '$')
        {
            var legal = text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
            return legal ? new Part(PartKind.Name, text, null) : null;
        }

        return JsonPath.TryParse(text) is { } path ? new Part(PartKind.Field, text, path) : null;
    }

    private enum PartKind
    {
        Text,
        Name,
        Field,
    }

    private sealed record Part(PartKind Kind, string Text, JsonPath? Path);
}
