using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// Ends the connections of devices whose credentials are not good any more: at once when the control topic says that a
/// device changed, and by looking again at a connected device's identity from time to time, in case a notice was lost.
/// The topic also tells of sessions that other gateways wait for.
/// </summary>
internal sealed class RevocationWatch(
    IEventLog log, IdentityCache identities, DeviceAuthenticator authenticator, ConnectionTable connections,
    ISessionStore sessions, SessionTakeOver takeOver, EndedSessions endedSessions, SpaceBroker spaces,
    IOptions<GatewayOptions> options, TimeProvider time, GatewayMetrics metrics, ILogger<RevocationWatch> logger)
{
    private static readonly TopicPartition Control = new(Contracts.Topics.Control, 0);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Where notices are read from: asked before the first device is let in, so that none is missed.</summary>
    public async ValueTask<long> StartOffsetAsync(CancellationToken ct) =>
        (await log.RangeAsync(Control, ct).ConfigureAwait(false)).Next;

    public Task RunAsync(long startOffset, CancellationToken stop) =>
        Task.WhenAll(ReadNoticesAsync(startOffset, stop), RecheckAsync(stop));

    private async Task ReadNoticesAsync(long offset, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var reader = log.OpenReader(Control, offset);
                while (true)
                {
                    var batch = await reader.ReadAsync(ct: stop).ConfigureAwait(false);
                    foreach (var deviceId in DevicesOf(batch))
                    {
                        await RecheckAsync(deviceId, stop).ConfigureAwait(false);
                        var identity = await identities.FindAsync(deviceId, stop).ConfigureAwait(false);
                        if (identity is null) await EndSessionsAsync(deviceId, stop).ConfigureAwait(false);
                        else spaces.Members.Recheck(deviceId, spaces.Table.AccessOf(deviceId, identity.TagsJson));
                    }

                    offset = batch.NextOffset;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                logger.NoticesFail(failure);
                offset = await NextOffsetAsync(offset, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A device that is gone leaves no session to another of the same name.</summary>
    private async ValueTask EndSessionsAsync(string deviceId, CancellationToken stop)
    {
        const string Reason = "device-deleted";
        var ended = await sessions.DeleteOfDeviceAsync(deviceId, time.GetUtcNow(), stop).ConfigureAwait(false);
        foreach (var session in ended) spaces.Members.End(session.Key, session.SessionId);
        foreach (var session in ended)
        {
            if (!session.MayLeaveShared) metrics.DeliveryLost(Reason, session.Queued);
            else if (!await endedSessions.EmptyAsync(session, Reason).ConfigureAwait(false)) continue;
            metrics.SessionsEnded(Reason, 1);
        }
    }

    /// <summary>After a pause, where to go on: at the first notice that is still kept.</summary>
    private async ValueTask<long> NextOffsetAsync(long offset, CancellationToken stop)
    {
        try
        {
            await Task.Delay(RetryPause, time, stop).ConfigureAwait(false);
            var range = await log.RangeAsync(Control, stop).ConfigureAwait(false);
            return Math.Clamp(offset, range.First, range.Next);
        }
        catch (Exception)
        {
            return offset;
        }
    }

    private HashSet<string> DevicesOf(RecordBatch batch)
    {
        var devices = new HashSet<string>();
        foreach (var record in batch)
        {
            try
            {
                var notice = JsonSerializer.Deserialize(record.Value, ContractJson.Default.ControlNotice);
                if (notice?.Kind == ControlKinds.Device) devices.Add(notice.Id);
                if (notice?.Kind == ControlKinds.SessionWanted) takeOver.Wanted(notice.Id);
            }
            catch (JsonException)
            {
                logger.NoticeInvalid(record.Offset);
            }
        }

        return devices;
    }

    private async Task RecheckAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.Value.IdentityRecheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                foreach (var device in connections.Devices()) await RecheckAsync(device, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    private async ValueTask RecheckAsync(string deviceId, CancellationToken stop)
    {
        identities.Invalidate(deviceId);
        foreach (var connection in connections.OfDevice(deviceId))
        {
            try
            {
                var revoked = await authenticator.RevokedAsync(connection.Login!, stop).ConfigureAwait(false);
                if (revoked is not null && connection.TryEnd(ConnectionEnd.Revoked(revoked)))
                    logger.Revoked(deviceId, revoked);
                var identity = await identities.FindAsync(deviceId, stop).ConfigureAwait(false);
                connection.IdentityRead(identity?.TagsJson ?? "{}");
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // Whether it may stay is not known; it is asked again at the next interval.
                metrics.RecheckFailed();
                logger.RecheckFails(failure);
            }
        }
    }
}
