using System.Text.Json;
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
            change = field.Name switch
            {
                "status" => change with { Status = Word<DeviceStatus>(field) },
                "statusReason" => change with { StatusReason = Text(field) },
                "authentication" => change with { Authentication = Word<DeviceAuthentication>(field) },
                "primaryThumbprint" => change with { PrimaryThumbprint = Text(field) },
                "secondaryThumbprint" => change with { SecondaryThumbprint = Text(field) },
                "tags" => change with { Tags = field.Value },
                _ => throw RegistryErrors.RequestInvalid.With(field.Name, Changeable).AsException(),
            };
        }

        return change;
    }

    private static string Text(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => field.Value.GetString()!,
        _ => throw RegistryErrors.RequestInvalid.With(field.Value, $"{field.Name} is a text or null.").AsException(),
    };

    private static T Word<T>(JsonProperty field)
        where T : struct, Enum
    {
        try
        {
            if (field.Value.ValueKind == JsonValueKind.String) return field.Value.Deserialize<T>();
        }
        catch (JsonException)
        {
            // Told below, with the words that there are.
        }

        var words = string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName));
        throw RegistryErrors.RequestInvalid.With(field.Value, $"{field.Name} is one of {words}.").AsException();
    }
}
