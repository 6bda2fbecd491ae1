using System.Text.Json;
using Millrace.Registry.Identities;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Rest;

/// <summary>A device as the API shows it. Keys have a request of their own.</summary>
internal sealed record DeviceItem(
    string DeviceId, DeviceStatus Status, string? StatusReason, DeviceAuthentication Authentication,
    string? PrimaryThumbprint, string? SecondaryThumbprint, JsonElement Tags, string GenerationId,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, long Version, bool Connected, DateTimeOffset? ConnectedAt,
    DateTimeOffset? DisconnectedAt, string? DisconnectReason, DateTimeOffset? LastSeenAt)
{
    public static DeviceItem Of(DeviceIdentity i, DeviceState? state) => new(i.DeviceId, i.Status, i.StatusReason,
        i.Authentication, i.PrimaryThumbprint, i.SecondaryThumbprint, JsonElement.Parse(i.TagsJson), i.GenerationId,
        i.CreatedAt, i.UpdatedAt, i.Version, state?.Connected ?? false, state?.ConnectedAt, state?.DisconnectedAt,
        state?.DisconnectReason, state?.LastSeenAt);
}

internal sealed record DevicePage(IReadOnlyList<DeviceItem> Items, string? Continuation);

internal sealed record DevicesMade(int Created, IReadOnlyList<string> Existing);

internal sealed record KeysRequest(DeviceKeys Which);

internal sealed record DeviceKeyPair(string DeviceId, string PrimaryKey, string SecondaryKey)
{
    public static DeviceKeyPair Of(DeviceIdentity i) => new(i.DeviceId, i.PrimaryKey, i.SecondaryKey);
}
