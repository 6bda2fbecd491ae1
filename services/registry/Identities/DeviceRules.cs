using System.Security.Cryptography;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>What a device may look like.</summary>
internal sealed class DeviceRules(RegistryOptions options)
{
    private const int KeyBytes = 32;
    private const int KeyBytesLeast = 16;
    private const int KeyBytesMost = 64;
    private const int ThumbprintDigits = 64;

    private readonly DeviceTags _tags = new(options);

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));

    public DeviceIdentity Identity(NewDevice device, DateTimeOffset now)
    {
        var id = Id(device.DeviceId);
        var byThumbprint = device.Authentication == DeviceAuthentication.Thumbprints ||
            (device.Authentication is null && (device.PrimaryThumbprint ?? device.SecondaryThumbprint) is not null);
        if (byThumbprint && (device.PrimaryKey ?? device.SecondaryKey) is not null)
        {
            throw RegistryErrors.RequestInvalid
                .With(id, "A device that proves itself by a certificate has no keys.").AsException();
        }

        return Check(new DeviceIdentity
        {
            DeviceId = id,
            GenerationId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
            Status = device.Status ?? DeviceStatus.Enabled,
            StatusReason = Reason(device.StatusReason),
            Authentication = byThumbprint ? DeviceAuthentication.Thumbprints : DeviceAuthentication.Keys,
            PrimaryKey = byThumbprint ? "" : Key(device.PrimaryKey),
            SecondaryKey = byThumbprint ? "" : Key(device.SecondaryKey),
            PrimaryThumbprint = Thumbprint(device.PrimaryThumbprint),
            SecondaryThumbprint = Thumbprint(device.SecondaryThumbprint),
            TagsJson = _tags.New(device.Tags),
            CreatedAt = now,
            UpdatedAt = now,
        });
    }

    public DeviceIdentity Apply(DeviceIdentity identity, DeviceChange change)
    {
        var authentication = change.Authentication ?? identity.Authentication;
        var byThumbprint = authentication == DeviceAuthentication.Thumbprints;
        var needsKeys = !byThumbprint && identity.PrimaryKey.Length == 0;
        return Check(identity with
        {
            Status = change.Status ?? identity.Status,
            StatusReason = change.StatusReason is null ? identity.StatusReason : Reason(change.StatusReason),
            Authentication = authentication,
            PrimaryKey = byThumbprint ? "" : needsKeys ? NewKey() : identity.PrimaryKey,
            SecondaryKey = byThumbprint ? "" : needsKeys ? NewKey() : identity.SecondaryKey,
            PrimaryThumbprint = change.PrimaryThumbprint is null
                ? identity.PrimaryThumbprint
                : Thumbprint(change.PrimaryThumbprint),
            SecondaryThumbprint = change.SecondaryThumbprint is null
                ? identity.SecondaryThumbprint
                : Thumbprint(change.SecondaryThumbprint),
            TagsJson = change.Tags is { } patch ? _tags.Merge(identity.TagsJson, patch) : identity.TagsJson,
        });
    }

    public DeviceIdentity WithKeys(DeviceIdentity identity, DeviceKeys which)
    {
        if (identity.Authentication != DeviceAuthentication.Keys)
        {
            throw RegistryErrors.RequestInvalid
                .With(identity.DeviceId, "The device proves itself by a certificate and has no keys.").AsException();
        }

        return which switch
        {
            DeviceKeys.Primary => identity with { PrimaryKey = NewKey() },
            DeviceKeys.Secondary => identity with { SecondaryKey = NewKey() },
            DeviceKeys.Both => identity with { PrimaryKey = NewKey(), SecondaryKey = NewKey() },
            DeviceKeys.Swap => identity with
            {
                PrimaryKey = identity.SecondaryKey,
                SecondaryKey = identity.PrimaryKey,
            },
            _ => throw RegistryErrors.RequestInvalid
                .With(which, "which is primary, secondary, both or swap.").AsException(),
        };
    }

    public string? Reason(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var most = options.StatusReasonLengthMax;
        return text.Length <= most
            ? text
            : throw RegistryErrors.RequestInvalid.With($"{text.Length} characters", $"A reason has at most {most}.")
                .AsException();
    }

    private static string Id(string text)
    {
        var id = DeviceId.Parse(text).Value;

        // In a URL these two are steps between folders: the device could never be asked for.
        return id is not ("." or "..")
            ? id
            : throw RegistryErrors.RequestInvalid.With(id, "A device id is not a dot or two alone.").AsException();
    }

    private static DeviceIdentity Check(DeviceIdentity identity)
    {
        if (!Enum.IsDefined(identity.Status))
            throw RegistryErrors.RequestInvalid.With(identity.Status, "status is enabled or disabled.").AsException();
        if (!Enum.IsDefined(identity.Authentication))
        {
            throw RegistryErrors.RequestInvalid
                .With(identity.Authentication, "authentication is keys or thumbprints.").AsException();
        }

        var locked = identity is
        {
            Authentication: DeviceAuthentication.Thumbprints, PrimaryThumbprint: null, SecondaryThumbprint: null,
        };
        return !locked
            ? identity
            : throw RegistryErrors.ThumbprintInvalid.With(identity.DeviceId, "None was given.").AsException();
    }

    private static string Key(string? key)
    {
        if (key is null) return NewKey();
        Span<byte> bytes = stackalloc byte[KeyBytesMost + 1];
        var legal = Convert.TryFromBase64String(key, bytes, out var count) &&
            count is >= KeyBytesLeast and <= KeyBytesMost;

        // A wrong key may be nearly a right one, so it is not said.
        return legal ? key : throw RegistryErrors.KeyInvalid.With(null).AsException();
    }

    private static string? Thumbprint(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var digits = text.Replace(":", "").ToUpperInvariant();
        return digits.Length == ThumbprintDigits && digits.All(char.IsAsciiHexDigit)
            ? digits
            : throw RegistryErrors.ThumbprintInvalid.With(text).AsException();
    }
}
