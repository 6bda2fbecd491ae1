using System.Text;
using Millrace.Gateway.Sessions;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>What outlives the connection: opened with it, saved at its end.</summary>
internal sealed partial class MqttConnection
{
    private static readonly TaskCompletionSource Finished = Completed();

    private DeviceSession? _deviceSession;
    private TaskCompletionSource? _finished;

    /// <summary>Completes when the connection takes and saves nothing more.</summary>
    public Task WhenFinishedAsync()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _finished, waiting, null) ?? waiting).Task;
    }

    private void SayFinished() => Interlocked.CompareExchange(ref _finished, Finished, null)?.TrySetResult();

    /// <summary>Whether an earlier session goes on; null when the connection has ended over it.</summary>
    private async ValueTask<bool?> OpenSessionAsync(bool isNewName)
    {
        var key = new SessionKey(_login!.DeviceId, ClientId);
        try
        {
            var opened = await runtime.Sessions
                .OpenAsync(key, _session.Request!.CleanStart, _session.ExpiryGranted, isNewName).ConfigureAwait(false);
            if (opened is null) return false;
            _deviceSession = opened.ToSession();
            if (opened.Exchanges.Last > 0) _session.Exchanges = opened.Exchanges;
            await EnterSpacesAsync(_deviceSession).ConfigureAwait(false);
            return opened.Opened.IsPresent;
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
    /// read from the log again when the session is opened.
    /// </summary>
    private async ValueTask CloseSessionAsync(DeviceSession session)
    {
        try
        {
            while (IsAnyExchangePending(session)) await _resume.WaitAsync().ConfigureAwait(false);
            if (session.Outbox is { } outbox) await StopSendingAsync(session, outbox).ConfigureAwait(false);
            if (!session.IsStored) return;
            var will = DelayedWill();
            var expirySeconds = _wasConnected ? _session.ExpirySeconds : session.ExpirySeconds;
            InboundExchanges inbound;
            lock (_output) inbound = session.Inbound(_session.Exchanges, _session.AcksOrNull, isClosing: true);
            await runtime.Sessions.Store.CloseAsync(session.Key, session.Epoch, new SessionClosure(inbound,
                session.Outbox?.Window.LastSent ?? 0, expirySeconds, will), runtime.Time.GetUtcNow())
                .ConfigureAwait(false);
            if (will is not null) _session.DropWill();
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }
    }

    private bool IsAnyExchangePending(DeviceSession session)
    {
        lock (_output) return _session.Exchanges?.IsAnyPending(_session.AcksOrNull, session.HasFailed) == true;
    }

    /// <summary>A will that waits in the session, and goes with it if that is sooner (MQTT 5 §3.1.3.2.2).</summary>
    private StoredWill? DelayedWill()
    {
        if (!_wasConnected || _session.Will is not { } will) return null;
        var delay = Math.Min(will.DelaySeconds, _session.ExpirySeconds);
        if (delay == 0) return null;
        return new StoredWill(Encoding.UTF8.GetString(will.Topic), will.Qos, will.Retain, will.Properties, will.Payload,
            runtime.Time.GetUtcNow().AddSeconds(delay));
    }

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
