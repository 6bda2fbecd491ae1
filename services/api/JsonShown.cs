using System.Text;
using System.Text.Json;
using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>What devices and queries wrote, as it stands in an answer: one of them must not spoil the whole.</summary>
internal static class JsonShown
{
    /// <summary>Readers take 64 levels if they are told nothing else; an answer has a few around this.</summary>
    private static readonly JsonDocumentOptions WithinAnswer = new() { MaxDepth = 64 - 8 };

    /// <summary>Null when it is no JSON, is too deep to stand in an answer, or holds what is no text.</summary>
    public static JsonElement? TryParse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, WithinAnswer);
            return JsonText.IsSound(json.Span) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The JSON; where it cannot stand in an answer, its text as a JSON string.</summary>
    public static JsonElement Row(string json) =>
        TryParse(Encoding.UTF8.GetBytes(json)) ?? JsonSerializer.SerializeToElement(json);
}
