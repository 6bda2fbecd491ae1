using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Primitives;

namespace Millrace.Registry.Identities;

/// <summary>What is known of a device beside its credentials: one JSON object.</summary>
internal sealed class DeviceTags(RegistryOptions options)
{
    public const string None = "{}";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public string New(JsonElement? tags) => tags is { } value ? Check(Object(value)) : None;

    /// <summary>The tags with the patch merged in (RFC 7396); a null in place of the object removes them all.</summary>
    public string Merge(string tagsJson, JsonElement patch)
    {
        if (patch.ValueKind == JsonValueKind.Null) return None;
        var tags = JsonNode.Parse(tagsJson)!.AsObject();
        Merge(tags, Object(patch));
        return Check(tags);
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) target.Remove(name);
            else if (value is not JsonObject inner) target[name] = value.DeepClone();
            else
            {
                if (target[name] is not JsonObject) target[name] = new JsonObject();
                Merge(target[name]!.AsObject(), inner);
            }
        }
    }

    private static JsonObject Object(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw RegistryErrors.TagsInvalid.With(value.ValueKind, "Tags are an object.").AsException();
        if (!JsonText.IsSound(JsonMarshal.GetRawUtf8Value(value)))
            throw RegistryErrors.TagsInvalid.With(null, "A name or a text in them is no Unicode.").AsException();
        try
        {
            // Of a name that comes twice, one value would be lost without a word.
            return JsonNode.Parse(value.GetRawText(), documentOptions: Strict)!.AsObject();
        }
        catch (JsonException e)
        {
            throw RegistryErrors.TagsInvalid.With(null, e.Message).AsException(e);
        }
    }

    private string Check(JsonObject tags)
    {
        var json = tags.ToJsonString();
        var bytes = Encoding.UTF8.GetByteCount(json);
        if (bytes > options.TagsBytesMax.Bytes)
        {
            throw RegistryErrors.TagsInvalid
                .With($"{bytes} bytes", $"At most {options.TagsBytesMax}, written without spaces.").AsException();
        }

        var depth = Depth(tags);
        var most = options.TagsDepthMax;
        return depth <= most
            ? json
            : throw RegistryErrors.TagsInvalid.With($"{depth} levels", $"At most {most}.").AsException();
    }

    private static int Depth(JsonNode? node) => node switch
    {
        JsonObject o => 1 + o.Select(p => Depth(p.Value)).DefaultIfEmpty().Max(),
        JsonArray a => 1 + a.Select(Depth).DefaultIfEmpty().Max(),
        _ => 0,
    };
}
