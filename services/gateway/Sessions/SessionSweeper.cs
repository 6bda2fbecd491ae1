using Microsoft.Extensions.Logging;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// What only a clock can say of sessions without a connection: they expire, and wills are due. Ends of connections that
/// could not be saved are tried again.
/// </summary>
internal sealed class SessionSweeper(
    ISessionStore store, GatewayRuntime runtime, SessionEnds ends, EndedSessions endedSessions, WillPublisher wills,
    SpaceMembers members, SpaceRetained retained, GatewayMetrics metrics, TimeProvider time,
    ILogger<SessionSweeper> logger)
{
    private const int AtOnce = 500;
    private const string Expired = "session-expired";

    private static readonly ParallelOptions Emptying = new() { MaxDegreeOfParallelism = 32 };

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(runtime.Sessions.Options.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
                await SweepAsync(empties: true).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    /// <summary>
    /// Comes before connections do: of wills that are due then, none comes after its device. What ended sessions leave
    /// to others stays until it is swept again: these have time to come.
    /// </summary>
    public ValueTask StartAsync() => SweepAsync(empties: false);

    /// <summary>An end that the store does not take keeps no session from expiring.</summary>
    private async ValueTask SweepAsync(bool empties)
    {
        await TryAsync(SaveEndsAsync).ConfigureAwait(false);
        await TryAsync(() => ExpireAsync(empties)).ConfigureAwait(false);
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

    private async ValueTask ExpireAsync(bool empties)
    {
        SweepResult result;
        do
        {
            result = await store.SweepAsync(time.GetUtcNow(), AtOnce).ConfigureAwait(false);
            foreach (var session in result.Ended) members.End(session.Key, session.SessionId);
            foreach (var session in result.Ended.Where(each => !each.MayLeaveShared)) CountExpired(session.Queued);
            await wills.PublishAsync(result.Wills).ConfigureAwait(false);
            await Parallel.ForEachAsync(result.Ended.Where(each => each.MayLeaveShared && empties), Emptying,
                (session, _) => TryAsync(() => EmptyAsync(session))).ConfigureAwait(false);
        }
        while (result.HasMore);
        await retained.ExpireAsync().ConfigureAwait(false);
    }

    /// <summary>What is left when the gateway stops is swept again, by the next.</summary>
    private async ValueTask EmptyAsync(StoredSession session)
    {
        if (!runtime.IsDraining && await endedSessions.EmptyAsync(session, Expired).ConfigureAwait(false))
            CountExpired(lost: 0);
    }

    private void CountExpired(int lost)
    {
        metrics.SessionsEnded("expired", 1);
        metrics.DeliveryLost(Expired, lost);
    }
}
