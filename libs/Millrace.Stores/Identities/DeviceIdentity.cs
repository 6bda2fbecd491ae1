using System.Text.Json.Serialization;

namespace Millrace.Stores.Identities;

[JsonConverter(typeof(JsonStringEnumConverter<DeviceStatus>))]
public enum DeviceStatus
{
    [JsonStringEnumMemberName("enabled")] Enabled,
    [JsonStringEnumMemberName("disabled")] Disabled,
}

/// <summary>How a device may prove who it is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeviceAuthentication>))]
public enum DeviceAuthentication
{
    /// <summary>Either of two symmetric keys: as the password itself, or to sign a SAS token.</summary>
    [JsonStringEnumMemberName("keys")] Keys,

    /// <summary>A client certificate with either of two SHA-256 thumbprints.</summary>
    [JsonStringEnumMemberName("thumbprints")] Thumbprints,
}

/// <summary>A device as the registry knows it.</summary>
public sealed record DeviceIdentity
{
    public required string DeviceId { get; init; }

    /// <summary>Made anew when a device is created, so that one deleted and created again is told apart.</summary>
    public required string GenerationId { get; init; }

    public DeviceStatus Status { get; init; } = DeviceStatus.Enabled;
    public string? StatusReason { get; init; }
    public DeviceAuthentication Authentication { get; init; } = DeviceAuthentication.Keys;

    /// <summary>Base64; empty with thumbprints. The store keeps keys encrypted.</summary>
    public string PrimaryKey { get; init; } = "";
    public string SecondaryKey { get; init; } = "";

    /// <summary>SHA-256 of the certificate's DER, upper-case hexadecimal; null when there is none.</summary>
    public string? PrimaryThumbprint { get; init; }
    public string? SecondaryThumbprint { get; init; }

    /// <summary>A JSON object.</summary>
    public string TagsJson { get; init; } = "{}";
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Counts up with each change; 1 at first, also when the device is made anew.</summary>
    public long Version { get; init; } = 1;

    public DeviceRevision Revision => new(GenerationId, Version);
}
