using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// What the gateway looks up in the stored sessions before it takes connections: which of them subscribe in topic
/// spaces, and which a crash left open, that they may expire.
/// </summary>
internal sealed class SessionRecovery(
    SessionKeeper keeper, NodeLease lease, SpaceBroker spaces, IdentityCache identities,
    IOptions<TopicSpacesOptions> options, GatewayMetrics metrics, ILogger<SessionRecovery> logger)
{
    private const int PageMax = 500;

    public async ValueTask RunAsync(CancellationToken ct)
    {
        var left = await lease.StartAsync(ct).ConfigureAwait(false);
        string? continuation = null;
        do
        {
            var page = await keeper.Store.ListAsync(PageMax, continuation, ct).ConfigureAwait(false);
            foreach (var session in page.Items)
            {
                if (session.Subscriptions.Count > 0) await EnterAsync(session, ct).ConfigureAwait(false);
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
        logger.SessionsRecovered(spaces.Members.SubscriptionCount, left);
    }

    /// <summary>Those that are not granted any more leave the session when it goes on.</summary>
    private async ValueTask EnterAsync(StoredSession session, CancellationToken ct)
    {
        if (spaces.Table.Spaces.Count == 0) return;
        var identity = await identities.FindAsync(session.Key.DeviceId, ct).ConfigureAwait(false);
        if (identity is null && !options.Value.AllowAnonymous) return;
        var access = spaces.Table.AccessOf(session.Key.DeviceId, identity?.TagsJson ?? "{}");
        var granted = new List<SpaceGrant>();
        foreach (var asked in session.Subscriptions)
        {
            var decision = access.Subscribe(Encoding.UTF8.GetBytes(asked.Filter), out var space);
            if (decision == TopicDecision.Granted) granted.Add(new SpaceGrant(space!, asked));
            else if (decision == TopicDecision.Denied) metrics.SubscriptionRevoked();
        }

        if (granted.Count > 0) spaces.Members.Enter(session.Key, session.SessionId, connection: null, granted);
    }
}
