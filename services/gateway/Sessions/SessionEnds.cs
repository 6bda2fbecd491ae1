using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Saves the ends of connections, so that sessions expire and wills become due. What the store does not take is tried
/// again until it does: whoever opens a session meanwhile has another epoch, and an end that comes later changes
/// nothing.
/// </summary>
internal sealed class SessionEnds(
    ISessionStore store, IOptions<GatewayOptions> options, GatewayMetrics metrics, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SessionKey, SessionEnd> _unsaved = [];
    private readonly Queue<SessionKey> _order = new();

    /// <summary>
    /// Returns the will if it is due. When it fails, the end is kept, the last of each session, as long as there are no
    /// more of them than there may be connections; beyond, sessions are closed when the gateway starts again.
    /// </summary>
    public async ValueTask<DueWill?> SaveAsync(SessionEnd end)
    {
        try
        {
            var closed = await store.CloseAsync(end.Key, end.Epoch, end.Closure, time.GetUtcNow())
                .ConfigureAwait(false);
            return closed.Will;
        }
        catch (Exception)
        {
            Keep(end);
            throw;
        }
    }

    /// <summary>Tries again what could not be saved, up to the first that fails; returns wills that are due.</summary>
    /// <param name="max">Of one call.</param>
    public async ValueTask<IReadOnlyList<DueWill>> SaveAgainAsync(int max)
    {
        var wills = new List<DueWill>();
        try
        {
            while (max-- > 0 && TryTake(out var end))
                if (await SaveAsync(end).ConfigureAwait(false) is { } will) wills.Add(will);
        }
        catch (Exception) when (wills.Count > 0)
        {
            // The next call meets it again; these are to be published now.
        }

        return wills;
    }

    private bool TryTake([NotNullWhen(true)] out SessionEnd? end)
    {
        end = null;
        lock (_gate) return _order.TryDequeue(out var key) && _unsaved.Remove(key, out end);
    }

    private void Keep(SessionEnd end)
    {
        lock (_gate)
        {
            if (_unsaved.TryGetValue(end.Key, out var kept))
            {
                if (kept.Epoch < end.Epoch) _unsaved[end.Key] = end;
                return;
            }

            if (_unsaved.Count < options.Value.ConnectionsMax)
            {
                _unsaved.Add(end.Key, end);
                _order.Enqueue(end.Key);
                return;
            }
        }

        metrics.SessionLeftOpen();
    }
}

/// <summary>What a connection leaves behind, under its epoch.</summary>
internal sealed record SessionEnd(SessionKey Key, long Epoch, SessionClosure Closure);
