using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>A device to be made. Keys that are left out are made.</summary>
public sealed record NewDevice(
    string DeviceId, string? PrimaryKey = null, string? SecondaryKey = null, string? PrimaryThumbprint = null,
    string? SecondaryThumbprint = null, DeviceAuthentication? Authentication = null, DeviceStatus? Status = null,
    JsonElement? Tags = null);

/// <summary>What to change of a device; null leaves a thing as it is.</summary>
public sealed record DeviceChange(
    DeviceStatus? Status = null, string? StatusReason = null, DeviceAuthentication? Authentication = null,
    string? PrimaryThumbprint = null, string? SecondaryThumbprint = null, JsonElement? Tags = null);

/// <summary>What a device may look like.</summary>
internal sealed class DeviceRules(RegistryOptions options)
{
    private const int KeyBytes = 32;
    private const int ThumbprintDigits = 64;

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));

    public DeviceIdentity Identity(NewDevice device, DateTimeOffset now)
    {
        var id = DeviceId.Parse(device.DeviceId).Value;
        var byThumbprint = device.Authentication == DeviceAuthentication.Thumbprints ||
            (device.Authentication is null && device.PrimaryThumbprint is not null);
        if (byThumbprint && device.PrimaryThumbprint is null && device.SecondaryThumbprint is null)
            throw RegistryErrors.ThumbprintInvalid.With(id, "None was given.").AsException();
        return new DeviceIdentity
        {
            DeviceId = id,
            GenerationId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
            Status = device.Status ?? DeviceStatus.Enabled,
            Authentication = byThumbprint ? DeviceAuthentication.Thumbprints : DeviceAuthentication.Keys,
            PrimaryKey = byThumbprint ? "" : Key(device.PrimaryKey),
            SecondaryKey = byThumbprint ? "" : Key(device.SecondaryKey),
            PrimaryThumbprint = Thumbprint(device.PrimaryThumbprint),
            SecondaryThumbprint = Thumbprint(device.SecondaryThumbprint),
            TagsJson = Tags(device.Tags),
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    public DeviceIdentity Apply(DeviceIdentity identity, DeviceChange change)
    {
        var authentication = change.Authentication ?? identity.Authentication;
        var needsKeys = authentication == DeviceAuthentication.Keys && identity.PrimaryKey.Length == 0;
        return identity with
        {
            Status = change.Status ?? identity.Status,
            StatusReason = change.StatusReason ?? identity.StatusReason,
            Authentication = authentication,
            PrimaryKey = needsKeys ? NewKey() : identity.PrimaryKey,
            SecondaryKey = needsKeys ? NewKey() : identity.SecondaryKey,
            PrimaryThumbprint = Thumbprint(change.PrimaryThumbprint) ?? identity.PrimaryThumbprint,
            SecondaryThumbprint = Thumbprint(change.SecondaryThumbprint) ?? identity.SecondaryThumbprint,
            TagsJson = change.Tags is null ? identity.TagsJson : Tags(change.Tags),
        };
    }

    private static string Key(string? key)
    {
        if (key is null) return NewKey();
        Span<byte> bytes = stackalloc byte[65];
        var legal = key.Length <= 88 && Convert.TryFromBase64String(key, bytes, out var count) && count is >= 16 and <= 64;
        return legal ? key : throw RegistryErrors.KeyInvalid.With(null).AsException();
    }

    private static string? Thumbprint(string? text)
    {
        if (text is null) return null;
        var digits = text.Replace(":", "").ToUpperInvariant();
        return digits.Length == ThumbprintDigits && digits.All(char.IsAsciiHexDigit)
            ? digits
            : throw RegistryErrors.ThumbprintInvalid.With(text).AsException();
    }

    private string Tags(JsonElement? tags)
    {
        if (tags is not { } value) return "{}";
        var json = value.GetRawText();
        var legal = value.ValueKind == JsonValueKind.Object && Encoding.UTF8.GetByteCount(json) <= options.TagsBytesMax.Bytes;
        return legal
            ? json
            : throw RegistryErrors.TagsInvalid.With(value.ValueKind, $"At most {options.TagsBytesMax}.").AsException();
    }
}
