using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Hosting.Http;
using Millrace.Stores.Bridges;

namespace Millrace.Api.Bridges;

/// <summary>How the bridges to other brokers are, by what they say of themselves.</summary>
internal static class BridgeEndpoints
{
    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(1);

    public static void MapBridges(this RouteGroupBuilder api) =>
        api.MapGet("/bridges", ListAsync).RequireAuthorization(ApiScopes.Read).WithTags("Bridges")
            .WithName("ListBridges").WithSummary("Bridges to other brokers, one for each gateway that runs it")
            .Produces<BridgePage>();

    private static async Task<BridgePage> ListAsync(IBridgeStore store, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var statuses = await store.ListStatusAsync(now - ForgottenAfter, ct);
        return new BridgePage([.. statuses.Select(status => BridgeItem.Of(status, now - SilentAfter))], null);
    }
}

internal sealed record BridgePage(IReadOnlyList<BridgeItem> Items, string? Continuation);

internal enum BridgeItemState
{
    Connected,
    Disconnected,

    /// <summary>The gateway has not said anything for a while.</summary>
    Silent,
}

/// <param name="Since">When it was connected, or lost its connection.</param>
/// <param name="Lag">Records of the event log that the broker has not acknowledged yet.</param>
internal sealed record BridgeItem(
    string Name, string ClientId, string Broker, BridgeItemState State, DateTimeOffset Since, string? LastError,
    DateTimeOffset? LastErrorAt, long Received, long Accepted, long DeadLettered, long Duplicates, long Sent,
    long InFlight, long Lag, DateTimeOffset UpdatedAt)
{
    public static BridgeItem Of(BridgeStatus status, DateTimeOffset silentBefore)
    {
        var state = status.UpdatedAt < silentBefore ? BridgeItemState.Silent
            : status.Connected ? BridgeItemState.Connected : BridgeItemState.Disconnected;
        return new BridgeItem(status.Name, status.ClientId, status.Broker, state, status.Since, status.LastError,
            status.LastErrorAt, status.Received, status.Accepted, status.DeadLettered, status.Duplicates, status.Sent,
            status.InFlight, status.Lag, status.UpdatedAt);
    }
}
