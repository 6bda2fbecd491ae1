using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Millrace.Contracts;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Topics;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// One connection: the shell around <see cref="MqttSession"/>. This part is its life; Input reads, Publish takes
/// messages, Exchanges keeps those of QoS 2, Subscriptions, Delivery and Retained are for messages to the client,
/// Output writes, Login lets it in, Session is about what outlives it, and Spaces about what it tells other devices.
/// <para>
/// Its own task reads and takes publishes. Acknowledgements are written by the publishers' loops, under the output's
/// lock. Anyone may end it; the first reason stands.
/// </para>
/// </summary>
internal sealed partial class MqttConnection(
    GatewayRuntime runtime, IDuplexPipe transport, X509Certificate2? certificate, Action abort,
    IPAddress? address = null) : IPublishOwner
{
    private readonly MqttSession _session = new(runtime.SessionLimits);
    private readonly AutoSignal _resume = new();
    private readonly int _openedSeconds = runtime.NowSeconds;
    private ConnectionEnd? _end;
    private DeviceLogin? _login;
    private DeviceTopics? _topics;
    private DateTimeOffset _connectedAt;
    private string _run = "";
    private long _connectionNumber;
    private int _readSeconds = runtime.NowSeconds;
    private int _endedSeconds;
    private int _pausedSeconds;
    private bool _wasConnected;
    private volatile bool _isPaused = true;

    /// <summary>How long it waits for its place in the hub's connect rate before it reads.</summary>
    public TimeSpan TurnWait { get; init; }

    /// <summary>Its place in the connection table.</summary>
    public int Slot { get; set; }

    public string ClientId { get; private set; } = "";

    public string ConnectionId => GatewayRun.ConnectionId(_run, _connectionNumber);

    /// <summary>Its beginning was read in the lifecycle topic: what comes there later is newer.</summary>
    public bool IsInLog { get; set; }

    public DeviceLogin? Login => _login;

    private ConnectionEnd? End => Volatile.Read(ref _end);

    /// <summary>Runs until the connection has ended, for whatever reason, and everything about it is told.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ReadAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (IsLoss(failure))
        {
            TryEnd(ConnectionEnd.Lost);
        }
        catch (Exception failure)
        {
            runtime.Log.ConnectionFailed(failure);
            TryEnd(ConnectionEnd.Failed);
        }

        await FinishAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the connection; false when it had ended before.</summary>
    public bool TryEnd(ConnectionEnd end)
    {
        if (Interlocked.CompareExchange(ref _end, end, null) is not null) return false;
        Volatile.Write(ref _endedSeconds, runtime.NowSeconds);
        _mayNotPublish = true;
        WriteEnd(end);
        Interrupt();
        return true;
    }

    /// <summary>Stops reading; what was taken is acknowledged first, then the connection ends.</summary>
    public void Drain() => Interrupt();

    /// <summary>Ends it without a word, at once.</summary>
    public void Cut()
    {
        TryEnd(ConnectionEnd.Shutdown);
        abort();
    }

    /// <summary>Called about once a second, for what only a clock can say.</summary>
    public void Watch(int nowSeconds, DateTimeOffset now)
    {
        if (End is not null)
        {
            var closing = nowSeconds - Volatile.Read(ref _endedSeconds);
            if (closing > runtime.Options.CloseTimeout.TotalSeconds) abort();
        }
        else if (!_wasConnected)
        {
            if (nowSeconds - _openedSeconds > runtime.Options.ConnectTimeout.TotalSeconds)
                TryEnd(_session.Request is null ? ConnectionEnd.ConnectTimeout : ConnectionEnd.LoginTimeout);
        }
        else if (_login?.ExpiresAt <= now) TryEnd(ConnectionEnd.TokenExpired);
        else if (IsSilent(nowSeconds)) TryEnd(ConnectionEnd.KeepAlive);
        else if (IsScanIdle(nowSeconds)) Interrupt();
        else if (IsUnread(nowSeconds)) TryEnd(ConnectionEnd.Unread);
    }

    /// <summary>Whether the client has left what it was sent unread for too long.</summary>
    private bool IsUnread(int nowSeconds)
    {
        if (!Volatile.Read(ref _isFlushing)) return false;
        if (transport is LoopSocket { Delivered: var delivered } && delivered != _deliveredBefore)
        {
            // Slowly is not the same as not at all.
            _deliveredBefore = delivered;
            Volatile.Write(ref _flushingSeconds, nowSeconds);
        }

        return nowSeconds - Volatile.Read(ref _flushingSeconds) > runtime.Limits.Options.UnreadTimeout.TotalSeconds;
    }

    /// <summary>One and a half times the keep-alive (§3.1.2.10), and the second by which the coarse clock may be off.
    /// While the gateway itself does not read, silence means nothing.</summary>
    private bool IsSilent(int nowSeconds)
    {
        if (_session.KeepAliveSeconds == 0 || _isPaused) return false;
        return nowSeconds - Volatile.Read(ref _readSeconds) > _session.KeepAliveSeconds * 1.5 + 1;
    }

    private async ValueTask FinishAsync()
    {
        TryEnd(ConnectionEnd.Lost);
        LeaveSpaces();
        try
        {
            var will = await CloseSessionAsync().ConfigureAwait(false);
            if (_wasConnected) await TellEndAsync(will).ConfigureAwait(false);
        }
        finally
        {
            SayFinished();
        }

        await CloseOutputAsync().ConfigureAwait(false);
        runtime.Connections.Remove(this, _login?.DeviceId);
        _meter?.Leave();
        runtime.Metrics.ConnectionClosed(End!.Reason);
    }

    /// <summary>That it is connected, in this run of the gateway: nobody is taken over from.</summary>
    public async ValueTask TellAgainAsync()
    {
        if (!Volatile.Read(ref _wasConnected)) return;
        _run = runtime.Run.Id;
        await TellAsync(LifecycleKind.Connected, runtime.Time.GetUtcNow(), reason: null).ConfigureAwait(false);

        // Its end may have been told before that, of the run before.
        if (End is { } end)
            await TellAsync(LifecycleKind.Disconnected, runtime.Time.GetUtcNow(), end.Reason).ConfigureAwait(false);
    }

    private async ValueTask TellEndAsync(DueWill? will)
    {
        if (will is not null) await runtime.Wills.PublishAsync(will, Topics, _access).ConfigureAwait(false);
        await TellAsync(LifecycleKind.Disconnected, runtime.Time.GetUtcNow(), End!.Reason).ConfigureAwait(false);
    }

    /// <param name="clientId">For one that has just connected: it takes over from others of that name.</param>
    private ValueTask TellAsync(LifecycleKind kind, DateTimeOffset at, string? reason, string? clientId = null) =>
        runtime.Lifecycle.WriteAsync(new LifecycleEvent(
            kind, _login!.DeviceId, at, reason, ConnectionId, _connectedAt, _login.GenerationId, clientId));

    /// <summary>Wakes the reader, whatever it waits for, and who sends what is retained.</summary>
    private void Interrupt()
    {
        try
        {
            transport.Input.CancelPendingRead();
        }
        catch (ObjectDisposedException)
        {
            // The connection has just finished by itself.
        }

        _resume.Call();
        _taken?.Call();
    }

    private static bool IsLoss(Exception failure) =>
        failure is IOException or ConnectionAbortedException or ConnectionResetException
            or OperationCanceledException or ObjectDisposedException;
}
