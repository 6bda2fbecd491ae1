using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>What to change of a device; null leaves a thing as it is, an empty text removes it.</summary>
/// <param name="Tags">Merged into the tags that are there (RFC 7396): null removes a tag.</param>
public sealed record DeviceChange(
    DeviceStatus? Status = null, string? StatusReason = null, DeviceAuthentication? Authentication = null,
    string? PrimaryThumbprint = null, string? SecondaryThumbprint = null, JsonElement? Tags = null)
{
    private const string Changeable =
        "These may be changed: status, statusReason, authentication, primaryThumbprint, secondaryThumbprint, tags.";

    /// <summary>
    /// Reads a JSON merge patch (RFC 7396): what it does not name stays, null removes. RG-0007 when it names what
    /// cannot be changed, so that no typing error passes for a change.
    /// </summary>
    public static DeviceChange Read(JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Object)
            throw RegistryErrors.RequestInvalid.With(patch.ValueKind, "Send a JSON object.").AsException();
        var change = new DeviceChange();
        foreach (var field in patch.EnumerateObject())
        {
            change = Name(field) switch
            {
                "status" => change with { Status = Word<DeviceStatus>(field) },
                "statusReason" => change with { StatusReason = Text(field) },
                "authentication" => change with { Authentication = Word<DeviceAuthentication>(field) },
                "primaryThumbprint" => change with { PrimaryThumbprint = Text(field) },
                "secondaryThumbprint" => change with { SecondaryThumbprint = Text(field) },
                "tags" => change with { Tags = field.Value },
                var name => throw RegistryErrors.RequestInvalid.With(name, Changeable).AsException(),
            };
        }

        return change;
    }

    private static string Name(JsonProperty field) => JsonText.IsSound(JsonMarshal.GetRawUtf8PropertyName(field))
        ? field.Name
        : throw RegistryErrors.RequestInvalid.With(null, Changeable).AsException();

    private static string Text(JsonProperty field) => field.Value.ValueKind == JsonValueKind.Null
        ? ""
        : Characters(field.Value) ?? throw Invalid(field, "is a text or null");

    private static T Word<T>(JsonProperty field)
        where T : struct, Enum
    {
        var words = Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName).ToList();
        return Characters(field.Value) is { } text && words.IndexOf(text) is >= 0 and var i
            ? Enum.GetValues<T>()[i]
            : throw Invalid(field, $"is one of {string.Join(", ", words)}");
    }

    /// <summary>Null where it is no string, or one that no text can hold.</summary>
    private static string? Characters(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && JsonText.IsSound(JsonMarshal.GetRawUtf8Value(value))
            ? value.GetString()
            : null;

    private static MillraceException Invalid(JsonProperty field, string what) => RegistryErrors.RequestInvalid
        .With(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(field.Value)), $"{field.Name} {what}.").AsException();
}
