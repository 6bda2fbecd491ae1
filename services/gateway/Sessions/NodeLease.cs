using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Says again and again that this gateway is at work, and beside that looks after what gateways left that are not heard
/// of now: so it is heard of itself, however much they left. One that was silent for too long itself does not know what
/// became of its sessions: it lets their devices go. Of the others it tells again that they are connected, for somebody
/// may have told that they are not.
/// </summary>
internal sealed class NodeLease(
    SessionKeeper keeper, ConnectionTable connections, GatewayRun run, LostRuns lostRuns, GatewayLimits limits,
    IOptions<GatewayOptions> options, TimeProvider time, ILogger<NodeLease> logger)
{
    private const int AtOnce = 500;
    private const int RenewalsPerTimeout = 5;

    // Each may have to wait until the log is settled, and they do that together.
    private static readonly ParallelOptions Closing = new() { MaxDegreeOfParallelism = 32 };

    private long _renewedAt;

    private TimeSpan Timeout => options.Value.Sessions.NodeTimeout;

    /// <summary>Others hear of this gateway: what it is about to look after is not looked after by them.</summary>
    private bool IsHeard => time.GetElapsedTime(Interlocked.Read(ref _renewedAt)) < Timeout / 2;

    /// <summary>Before the first connection: what this node left when it ended without a word is closed, too.</summary>
    public async ValueTask<int> StartAsync(CancellationToken ct)
    {
        await RenewAsync(ct).ConfigureAwait(false);
        await ShareAsync(ct).ConfigureAwait(false);
        return await CloseLeftAsync(own: true, ct).ConfigureAwait(false);
    }

    public Task RunAsync(CancellationToken stop) =>
        Task.WhenAll(RepeatAsync(HoldAsync, stop), RepeatAsync(LookAfterAsync, stop));

    private async Task RepeatAsync(Func<CancellationToken, ValueTask> work, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Timeout / RenewalsPerTimeout, time);
        try
        {
            do await TryAsync(work, stop).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    private async ValueTask TryAsync(Func<CancellationToken, ValueTask> work, CancellationToken stop)
    {
        try
        {
            await work(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            logger.LeaseFails(failure);
        }
    }

    private async ValueTask HoldAsync(CancellationToken stop)
    {
        var before = await RenewAsync(stop).ConfigureAwait(false);
        if (before is { } heard && time.GetUtcNow() - heard > Timeout)
        {
            run.BeginAnother();
            await RenewAsync(stop).ConfigureAwait(false);
            await LetGoAsync(heard).ConfigureAwait(false);
        }

        await ShareAsync(stop).ConfigureAwait(false);
    }

    private async ValueTask<DateTimeOffset?> RenewAsync(CancellationToken ct)
    {
        var began = time.GetTimestamp();
        var before = await keeper.Store.RenewAsync(run.Id, time.GetUtcNow(), ct).ConfigureAwait(false);
        Interlocked.Exchange(ref _renewedAt, began);
        return before;
    }

    private async ValueTask LookAfterAsync(CancellationToken stop)
    {
        await CloseLeftAsync(own: false, stop).ConfigureAwait(false);
        if (IsHeard) await lostRuns.LookAsync(stop).ConfigureAwait(false);
    }

    /// <summary>As many as are at work share what the hub may let in.</summary>
    private async ValueTask ShareAsync(CancellationToken ct)
    {
        if (!limits.IsShared) return;
        limits.Share(await keeper.Store.CountNodesAsync(time.GetUtcNow() - Timeout, ct).ConfigureAwait(false));
    }

    /// <summary>At the end, when nothing is left to tell of this run.</summary>
    public async ValueTask StopAsync(CancellationToken ct)
    {
        try
        {
            await keeper.Store.EndRunAsync(run.Id, ct).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            logger.LeaseFails(failure);
        }
    }

    private async ValueTask LetGoAsync(DateTimeOffset heard)
    {
        var ended = 0;
        foreach (var connection in connections.Snapshot().ToArray())
        {
            if (connection is null) continue;
            if (connection.DeviceSession is not { IsStored: true })
                await connection.TellAgainAsync().ConfigureAwait(false);
            else if (connection.TryEnd(ConnectionEnd.SessionFailed)) ended++;
        }

        logger.LeaseLost(heard, ended);
    }

    private async ValueTask<int> CloseLeftAsync(bool own, CancellationToken ct)
    {
        var closed = 0;
        if (!own && !IsHeard) return closed;
        var now = time.GetUtcNow();
        var heardSince = now - Timeout;
        await keeper.Store.LeaveWillsAsync(now, heardSince, own, ct).ConfigureAwait(false);
        while (true)
        {
            if (!own && !IsHeard) return closed;
            var left = await keeper.Store.ListLeftAsync(heardSince, own, AtOnce, ct).ConfigureAwait(false);
            await Parallel.ForEachAsync(left, Closing, (session, _) => keeper.CloseLeftAsync(session))
                .ConfigureAwait(false);
            closed += left.Count;
            if (left.Count < AtOnce) return closed;
        }
    }
}
