using System.Text;
using Millrace.Gateway.Sessions;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>What outlives the connection: opened with it, saved at its end.</summary>
internal sealed partial class MqttConnection
{
    private static readonly TaskCompletionSource Finished = Completed();

    private DeviceSession? _deviceSession;
    private long _epoch;
    private TaskCompletionSource? _finished;

    /// <summary>Completes when the connection takes and saves nothing more.</summary>
    public Task WhenFinishedAsync()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _finished, waiting, null) ?? waiting).Task;
    }

    private void SayFinished() => Interlocked.CompareExchange(ref _finished, Finished, null)?.TrySetResult();

    /// <summary>Whether an earlier session goes on; null when the connection has ended over it.</summary>
    private async ValueTask<bool?> OpenSessionAsync(ConnectRequest request, bool isNewName)
    {
        var key = new SessionKey(_login!.DeviceId, ClientId);
        try
        {
            var opened = await runtime.Sessions
                .OpenAsync(key, request.CleanStart, _session.ExpiryFor(request), StoredOf(request.Will), isNewName)
                .ConfigureAwait(false);
            if (opened is null)
            {
                Refuse(_login.DeviceId, "sessions-max", ConnectionEnd.TooManySessions, GatewayErrors.LimitReached);
                return null;
            }

            _epoch = opened.Epoch;
            if (opened.Opened is not { Session: var stored }) return false;
            _deviceSession = opened.ToSession();
            var exchanges = await runtime.Sessions.ExchangesOfAsync(stored).ConfigureAwait(false);
            if (exchanges.Last > 0) _session.Exchanges = exchanges;
            _deviceSession.LeavesInbound = false;
            await EnterSpacesAsync(_deviceSession).ConfigureAwait(false);
            return opened.IsPresent;
        }
        catch (Exception failure)
        {
            FailSession(failure);
            return null;
        }
    }

    /// <summary>The session of this connection, in memory when it has had none until now.</summary>
    private DeviceSession Session()
    {
        if (_deviceSession is { } session) return session;
        var id = Guid.CreateVersion7(runtime.Time.GetUtcNow()).ToString("N");
        return _deviceSession = new DeviceSession(new SessionKey(_login!.DeviceId, ClientId), id, epoch: 0);
    }

    /// <summary>
    /// Waits until what the log was given is durable or has failed, and saves what is open. What cannot be saved is
    /// read from the log again when the session is opened. Returns the will if it is due.
    /// </summary>
    private async ValueTask<DueWill?> CloseSessionAsync()
    {
        await _sendingRetained.ConfigureAwait(false);
        if (_deviceSession is { } session)
        {
            while (IsAnyExchangePending(session)) await _resume.WaitAsync().ConfigureAwait(false);
            if (session.Outbox is { } outbox) await TryStopSendingAsync(session, outbox).ConfigureAwait(false);
        }

        if (_epoch == 0) return null;
        var end = new SessionEnd(new SessionKey(_login!.DeviceId, ClientId), _epoch, Closure());
        try
        {
            return await runtime.SessionEnds.SaveAsync(end).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
            return null;
        }
    }

    private async ValueTask TryStopSendingAsync(DeviceSession session, Outbox outbox)
    {
        try
        {
            await StopSendingAsync(session, outbox).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }
    }

    private SessionClosure Closure()
    {
        var dropsWill = !_wasConnected || _session.Will is null;
        if (_deviceSession is not { IsStored: true } session) return SessionClosure.End(dropsWill);
        InboundExchanges? inbound = null;
        if (!session.LeavesInbound)
            lock (_output) inbound = session.Inbound(_session.Exchanges, _session.AcksOrNull, isClosing: true);
        var expirySeconds = _wasConnected ? _session.ExpirySeconds : session.ExpirySeconds;
        return new SessionClosure(inbound, session.Outbox?.Window.LastSent ?? 0, expirySeconds, dropsWill);
    }

    private bool IsAnyExchangePending(DeviceSession session)
    {
        lock (_output) return _session.Exchanges?.IsAnyPending(_session.AcksOrNull, session.HasFailed) == true;
    }

    private static StoredWill? StoredOf(WillMessage? will) => will is null
        ? null
        : new StoredWill(Encoding.UTF8.GetString(will.Topic), will.Qos, will.Retain, will.Properties, will.Payload,
            will.DelaySeconds);

    private void FailSession(Exception failure)
    {
        runtime.Log.SessionFails(GatewayErrors.SessionUnavailable.Code, _login!.DeviceId, ClientId, failure);
        TryEnd(ConnectionEnd.SessionFailed);
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
