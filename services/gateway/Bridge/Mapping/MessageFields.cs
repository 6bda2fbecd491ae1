using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>What templates can ask a message for. The body is read as JSON when a field is first asked for.</summary>
internal sealed class MessageFields(
    IReadOnlyList<(string Name, string Value)> names, ReadOnlyMemory<byte> body) : IDisposable
{
    private JsonDocument? _document;
    private bool _isNotJson;

    public string? Named(string name)
    {
        foreach (var each in names)
        {
            if (each.Name == name) return each.Value;
        }

        return null;
    }

    /// <summary>A field's text: of a string its characters, of a number or truth value as it is written.</summary>
    public string? Text(JsonPath path) => Find(path) is not { } field ? null : field.ValueKind switch
    {
        JsonValueKind.String => Characters(field),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => field.GetRawText(),
        _ => null,
    };

    /// <summary>A field as a body: of a string its characters, else the JSON as it is written.</summary>
    public byte[]? Body(JsonPath path)
    {
        if (Find(path) is not { } field) return null;
        if (field.ValueKind != JsonValueKind.String) return JsonMarshal.GetRawUtf8Value(field).ToArray();
        return Characters(field) is { } text ? Encoding.UTF8.GetBytes(text) : null;
    }

    public void Dispose() => _document?.Dispose();

    private JsonElement? Find(JsonPath path)
    {
        if (_document is null && !_isNotJson) Parse();
        try
        {
            return _document is null ? null : path.Find(_document.RootElement);
        }
        catch (InvalidOperationException)
        {
            // A name on the way is not UTF-8.
            return null;
        }
    }

    private void Parse()
    {
        try
        {
            _document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            _isNotJson = true;
        }
    }

    /// <summary>Null for a string that is not UTF-8, or escapes half a surrogate pair: no text can hold it.</summary>
    private static string? Characters(JsonElement field)
    {
        try
        {
            return field.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
