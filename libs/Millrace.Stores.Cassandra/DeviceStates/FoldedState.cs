using Millrace.Contracts;
using Millrace.Stores.DeviceStates;

namespace Millrace.Stores.Cassandra.DeviceStates;

/// <summary>A state, and the connection that it speaks of.</summary>
internal sealed record FoldedState(DeviceState State, string? Connection)
{
    public static FoldedState? Fold(FoldedState? before, LifecycleEvent e)
    {
        var state = before?.State ?? new DeviceState(e.DeviceId, false, null, null, null, null);
        return e.Kind switch
        {
            LifecycleKind.Connected => new FoldedState(state with
            {
                Connected = true,
                ConnectedAt = e.ConnectedAt ?? e.At,
                LastSeenAt = Later(state.LastSeenAt, e.At),
            }, e.ConnectionId),

            // The end of an older connection says nothing of the one that took over.
            LifecycleKind.Disconnected when before is not null && before.Connection == e.ConnectionId =>
                before with
                {
                    State = state with
                    {
                        Connected = false,
                        DisconnectedAt = e.At,
                        DisconnectReason = e.Reason,
                        LastSeenAt = Later(state.LastSeenAt, e.At),
                    },
                },
            LifecycleKind.Deleted => null,
            _ => before,
        };
    }

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) =>
        one > other ? one.Value : other;
}
