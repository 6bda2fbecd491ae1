using Microsoft.Extensions.Logging;
using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// What only a clock can say of sessions without a connection: they expire, and wills are due. Ends of connections that
/// could not be saved are tried again.
/// </summary>
internal sealed class SessionSweeper(
    ISessionStore store, SessionKeeper keeper, SessionEnds ends, WillPublisher wills, SpaceMembers members,
    SpaceRetained retained, GatewayMetrics metrics, TimeProvider time, ILogger<SessionSweeper> logger)
{
    private const int AtOnce = 500;

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(keeper.Options.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
                await SweepAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    /// <summary>Comes before connections do: of wills that are due then, none comes after its device.</summary>
    public ValueTask StartAsync() => SweepAsync();

    /// <summary>An end that the store does not take keeps no session from expiring.</summary>
    private async ValueTask SweepAsync()
    {
        await TryAsync(SaveEndsAsync).ConfigureAwait(false);
        await TryAsync(ExpireAsync).ConfigureAwait(false);
    }

    private async ValueTask TryAsync(Func<ValueTask> part)
    {
        try
        {
            await part().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            logger.SweepFails(failure);
        }
    }

    private async ValueTask SaveEndsAsync() =>
        await wills.PublishAsync(await ends.SaveAgainAsync(AtOnce).ConfigureAwait(false)).ConfigureAwait(false);

    private async ValueTask ExpireAsync()
    {
        SweepResult result;
        do
        {
            result = await store.SweepAsync(time.GetUtcNow(), AtOnce).ConfigureAwait(false);
            metrics.SessionsEnded("expired", result.Ended.Count);
            foreach (var session in result.Ended)
            {
                members.End(session.Key, session.SessionId);
                metrics.DeliveryLost("session-expired", session.Queued);
            }

            await wills.PublishAsync(result.Wills).ConfigureAwait(false);
        }
        while (result.HasMore);
        await retained.ExpireAsync().ConfigureAwait(false);
    }
}
