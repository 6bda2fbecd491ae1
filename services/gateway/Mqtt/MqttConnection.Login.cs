using Millrace.Contracts;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Mqtt;

/// <summary>From CONNECT to CONNACK.</summary>
internal sealed partial class MqttConnection
{
    private async ValueTask LoginAsync()
    {
        var request = _session.Request;
        if (request is null) return;
        _isPaused = true;
        LoginResult result;
        try
        {
            result = await runtime.Authenticator.LoginAsync(request, certificate, IsLocal, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            runtime.Log.LoginFailed(failure);
            runtime.Metrics.Refused(ConnectionEnd.StoreFailed.Reason);
            TryEnd(ConnectionEnd.StoreFailed);
            return;
        }

        _isPaused = false;
        if (result.Login is not { } login)
        {
            Refuse(result.DeviceName, result.Reason.Word(), ConnectionEnd.LoginRefused);
            return;
        }

        _login = login;
        TakeAccess(result.TagsJson);
        var will = CheckWill();
        if (will != ReasonCode.Success)
        {
            _login = null;
            Refuse(result.DeviceName, "will-topic", ConnectionEnd.WillRefused(will));
            return;
        }

        await EnterAsync(request.ClientId, result).ConfigureAwait(false);
    }

    private void Refuse(string name, string reason, ConnectionEnd end)
    {
        runtime.Metrics.Refused(reason);
        runtime.Refusals.Refused(name, reason);
        TryEnd(end);
    }

    private async ValueTask EnterAsync(string clientId, LoginResult result)
    {
        _connectionNumber = runtime.NextConnectionNumber();
        var assigned = clientId.Length == 0 ? $"auto-{runtime.ConnectionId(_connectionNumber)}" : null;
        ClientId = assigned ?? clientId;
        if (runtime.Connections.Register(this, _login!.DeviceId) is { } before)
        {
            // What the one before has taken is durable, or never will be, and its session is saved, before this one
            // is answered.
            before.TryEnd(ConnectionEnd.TakenOver);
            await before.WhenFinishedAsync().ConfigureAwait(false);
            if (End is not null) return;
        }

        // A notice of a change that came after the identity was read found this connection not yet in the table.
        if (runtime.Identities.Epoch != result.Epoch)
        {
            var revoked = await runtime.Authenticator.RevokedAsync(_login, CancellationToken.None)
                .ConfigureAwait(false);
            if (revoked is not null)
            {
                Refuse(result.DeviceName, revoked, ConnectionEnd.LoginRefused);
                return;
            }

            var identity = await runtime.Identities.FindAsync(_login.DeviceId, CancellationToken.None)
                .ConfigureAwait(false);
            TakeAccess(identity?.TagsJson ?? "{}");
        }

        if (await OpenSessionAsync(isNewName: assigned is not null).ConfigureAwait(false) is not { } isPresent) return;
        var prefix = OwnTopics.Prefix(_login.DeviceId);
        if (!Accept(new SessionGrants(isPresent, assigned, prefix))) return;
        _connectedAt = runtime.Time.GetUtcNow();
        _wasConnected = true;
        await TellAsync(LifecycleKind.Connected, _connectedAt, reason: null).ConfigureAwait(false);
        if (_deviceSession is { HasQueued: true }) QueueGrew();
    }

    private bool Accept(in SessionGrants grants)
    {
        bool fits;
        lock (_output)
        {
            if (_isOutputClosed || End is not null) return false;
            fits = _session.Accept(transport.Output, grants);
            if (fits) FlushLocked();
        }

        if (!fits) TryEnd(ConnectionEnd.AnswerTooLarge);
        return fits;
    }
}
