using Millrace.Contracts;

namespace Millrace.Stores.DeviceStates;

/// <summary>Whether a device is connected, and since when.</summary>
public sealed record DeviceState(
    string DeviceId, bool Connected, DateTimeOffset? ConnectedAt, DateTimeOffset? DisconnectedAt,
    string? DisconnectReason, DateTimeOffset? LastSeenAt);

/// <summary>A connection that has begun and is not known to have ended.</summary>
public sealed record OpenConnection(string DeviceId, string ConnectionId, DateTimeOffset? ConnectedAt);

/// <summary>What the lifecycle topic says of each device, folded.</summary>
public interface IDeviceStateStore
{
    /// <summary>Folds events of one partition in, in their order; the position moves with them.</summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<LifecycleEvent> events, SinkPosition position,
        CancellationToken ct = default);

    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    ValueTask<DeviceState?> FindAsync(string deviceId, CancellationToken ct = default);

    /// <summary>States of these devices; one that was never seen is left out.</summary>
    ValueTask<IReadOnlyList<DeviceState>> FindManyAsync(
        IReadOnlyCollection<string> deviceIds, CancellationToken ct = default);

    ValueTask<long> CountConnectedAsync(CancellationToken ct = default);

    /// <summary>
    /// The devices that are connected by connections whose ids begin so, in no order that means anything: those of one
    /// run of a gateway.
    /// </summary>
    IAsyncEnumerable<OpenConnection> OpenConnectionsAsync(string idPrefix, CancellationToken ct = default);
}
