using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>
/// A device to be made. Keys that are left out are made; with a thumbprint and no word on authentication, the device
/// proves itself by its certificate.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NewDevice(
    string DeviceId, string? PrimaryKey = null, string? SecondaryKey = null, string? PrimaryThumbprint = null,
    string? SecondaryThumbprint = null, DeviceAuthentication? Authentication = null, DeviceStatus? Status = null,
    string? StatusReason = null, JsonElement? Tags = null);
