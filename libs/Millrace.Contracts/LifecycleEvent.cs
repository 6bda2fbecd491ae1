using System.Text.Json.Serialization;

namespace Millrace.Contracts;

[JsonConverter(typeof(JsonStringEnumConverter<LifecycleKind>))]
public enum LifecycleKind
{
    [JsonStringEnumMemberName("connected")] Connected,
    [JsonStringEnumMemberName("disconnected")] Disconnected,
    [JsonStringEnumMemberName("created")] Created,
    [JsonStringEnumMemberName("updated")] Updated,
    [JsonStringEnumMemberName("deleted")] Deleted,
}

/// <summary>What happened to a device; the body of a record of the lifecycle topic, keyed by device id.</summary>
/// <param name="At">When it happened.</param>
/// <param name="Reason">Why, in a stable short word: client-disconnect, keep-alive, taken-over, disabled, ...</param>
/// <param name="ConnectionId">Tells connections of one device apart, so that a late "disconnected" of an older one
/// does not hide a newer "connected".</param>
/// <param name="ClientId">For connected: the client id; a connection takes over from one of the same before it. None
/// when a gateway says again of a connection that it is there.</param>
/// <param name="ConnectedAt">For connected and disconnected: when that connection began.</param>
public sealed record LifecycleEvent(
    LifecycleKind Kind,
    string DeviceId,
    DateTimeOffset At,
    string? Reason = null,
    string? ConnectionId = null,
    DateTimeOffset? ConnectedAt = null,
    string? GenerationId = null,
    string? ClientId = null);
