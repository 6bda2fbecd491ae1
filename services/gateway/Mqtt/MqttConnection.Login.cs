using System.Net;
using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Session;
using Millrace.Primitives;

namespace Millrace.Gateway.Mqtt;

/// <summary>From CONNECT to CONNACK.</summary>
internal sealed partial class MqttConnection
{
    private async ValueTask LoginAsync()
    {
        var request = _session.Request;
        if (request is null) return;
        if (Encoding.UTF8.GetByteCount(request.ClientId) > runtime.Options.ClientIdBytesMax)
        {
            Refuse(DeviceName.Of(request), "client-id-too-long", ConnectionEnd.ClientIdTooLong,
                GatewayErrors.LimitReached);
            return;
        }

        await SlowLoginAsync(DeviceName.Of(request)).ConfigureAwait(false);
        if (End is not null) return;

        // A look into the store must not hold up a thread that reads other connections too.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        LoginResult result;
        var isLocal = address is not null && IPAddress.IsLoopback(address);
        try
        {
            result = await runtime.Authenticator.LoginAsync(request, certificate, isLocal, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            runtime.Log.LoginFailed(failure);
            runtime.Metrics.Refused(ConnectionEnd.StoreFailed.Reason);
            TryEnd(ConnectionEnd.StoreFailed);
            return;
        }

        if (result.Login is not { } login)
        {
            CountFailedLogin(result.DeviceName);
            Refuse(result.DeviceName, result.Reason.Word(), ConnectionEnd.LoginRefused);
            return;
        }

        // It may have taken too long, and the client was told: then it touches nothing that the device has.
        if (End is not null) return;
        _login = login;
        if (!TryEnter(login))
        {
            _login = null;
            Refuse(result.DeviceName, "connect-rate-device", ConnectionEnd.ConnectRate, GatewayErrors.LimitReached);
            return;
        }

        TakeAccess(result.TagsJson);
        var will = CheckWill(request.Will);
        if (will != ReasonCode.Success)
        {
            _login = null;
            Refuse(result.DeviceName, "will-topic", ConnectionEnd.WillRefused(will));
            return;
        }

        await EnterAsync(request, result).ConfigureAwait(false);
    }

    private void Refuse(string name, string reason, ConnectionEnd end, ErrorDefinition? error = null)
    {
        runtime.Metrics.Refused(reason);
        runtime.Refusals.Refused(name, reason, error ?? GatewayErrors.LoginRefused);
        TryEnd(end);
    }

    private async ValueTask EnterAsync(ConnectRequest request, LoginResult result)
    {
        (_run, _connectionNumber) = (runtime.Run.Id, runtime.NextConnectionNumber());
        var assigned = request.ClientId.Length == 0 ? $"auto-{ConnectionId}" : null;
        ClientId = assigned ?? (request.ClientId == _login!.DeviceId ? _login!.DeviceId : request.ClientId);
        var grants = new SessionGrants(IsPresent: false, assigned, OwnTopics.Prefix(_login!.DeviceId));
        if (!_session.CanAccept(request, grants))
        {
            TryEnd(ConnectionEnd.AnswerTooLarge);
            return;
        }

        var max = _meter!.Limits.ConnectionsMax;
        if (!runtime.Connections.TryRegister(this, _login!.DeviceId, max, out var before))
        {
            Refuse(result.DeviceName, "connections-max-device", ConnectionEnd.TooMany, GatewayErrors.LimitReached);
            return;
        }

        if (before is not null)
        {
            // What the one before has taken is durable, or never will be, and its session is saved, before this one
            // is answered.
            before.TryEnd(ConnectionEnd.TakenOver);
            await before.WhenFinishedAsync().ConfigureAwait(false);
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

        if (End is not null) return;
        var opened = await OpenSessionAsync(request, isNewName: assigned is not null).ConfigureAwait(false);
        if (opened is not { } isPresent || !Accept(grants with { IsPresent = isPresent })) return;
        _connectedAt = runtime.Time.GetUtcNow();
        Volatile.Write(ref _wasConnected, true);
        Interlocked.MemoryBarrier();
        _run = runtime.Run.Id;
        (transport as LoopSocket)?.LetIn();
        await TellAsync(LifecycleKind.Connected, _connectedAt, reason: null, ClientId).ConfigureAwait(false);
        if (_deviceSession is { HasQueued: true }) QueueGrew();
    }

    private bool Accept(in SessionGrants grants)
    {
        lock (_output)
        {
            if (_isOutputClosed || End is not null) return false;
            _session.Accept(transport.Output, grants);
            FlushLocked();
            return true;
        }
    }
}
