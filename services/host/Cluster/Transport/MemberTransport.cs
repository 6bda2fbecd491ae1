using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;
using Millrace.Hosting;

namespace Millrace.Cluster.Transport;

/// <summary>
/// How members of the cluster reach each other: over TCP, and TLS where they have certificates, in the frames of Akka's
/// own transport. That one ends a process whose peer goes away within a TLS handshake, and waits long for an address
/// that is no longer the peer's; here that is a connection that failed, and another one is tried.
/// </summary>
internal sealed class MemberTransport : Akka.Remote.Transport.Transport
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly MemberTransportSetup _setup;
    private readonly ILoggingAdapter _log;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<MemberConnection, Task> _open = new(ReferenceEqualityComparer.Instance);
    private Socket? _listener;

    /// <summary>As Akka makes its transports.</summary>
    public MemberTransport(ActorSystem system, Config config)
    {
        (System, Config) = (system, config);
        _setup = system.Settings.Setup.Get<MemberTransportSetup>().Value;
        _log = Logging.GetLogger(system, this);
        SchemeIdentifier = SchemeOf(_setup.Certificate is not null);
        MaximumPayloadBytes = MemberConnection.FrameMax;
    }

    /// <summary>What Akka makes it by.</summary>
    public static string TypeName { get; } =
        $"{typeof(MemberTransport).FullName}, {typeof(MemberTransport).Assembly.GetName().Name}";

    /// <summary>What members with and without certificates say before an address, after Akka's own "akka.".</summary>
    public static string SchemeOf(bool hasCertificate) => hasCertificate ? "ssl.tcp" : "tcp";

    private Address Self => new(SchemeIdentifier, System.Name, _setup.Host, _setup.Endpoint.Port);

    public override bool IsResponsibleFor(Address remote) => true;

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        _listener = new Socket(_setup.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(_setup.Endpoint);
            _listener.Listen();
        }
        catch (SocketException cause)
        {
            return Task.FromException<(Address, TaskCompletionSource<IAssociationEventListener>)>(
                HostingErrors.PortTaken.With(null, $"{_setup.Endpoint}: {cause.Message}").AsException(cause));
        }

        var listening = new TaskCompletionSource<IAssociationEventListener>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        _ = AcceptAllAsync(_listener, listening.Task);
        return Task.FromResult((Self, listening));
    }

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        var (host, port) = (remoteAddress.Host, remoteAddress.Port ?? 0);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var limit = Limit();
        try
        {
            await socket.ConnectAsync(host, port, limit.Token);
            Stream stream = Over(socket);
            if (_setup.Certificate is { } certificate)
                stream = await certificate.ConnectAsync(stream, host, _log, limit.Token);
            return Open(stream, remoteAddress);
        }
        catch (Exception cause) when (IsOfConnection(cause))
        {
            socket.Dispose();
            // Without its cause: that would be logged with its whole stack, once a second for a member that is away.
            var isLate = cause is OperationCanceledException && !_ending.IsCancellationRequested;
            throw new InvalidAssociationException(isLate
                ? $"It was not there within {_setup.ConnectTimeMax} (Cluster:ConnectTimeMax)."
                : cause.Message);
        }
    }

    public override async Task<bool> Shutdown()
    {
        await _ending.CancelAsync();
        _listener?.Dispose();
        foreach (var connection in _open.Keys) connection.End();
        await Task.WhenAll(_open.Values);
        return true;
    }

    private async Task AcceptAllAsync(Socket listener, Task<IAssociationEventListener> listening)
    {
        var upper = await listening;
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                _ = AcceptAsync(await listener.AcceptAsync(_ending.Token), upper);
            }
            catch (SocketException cause)
            {
                // Such as too many open files: it may be better in a moment.
                _log.Warning("A connection of a member could not be accepted: {0}", cause.Message);
                await Task.Delay(AcceptPause, _ending.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task AcceptAsync(Socket socket, IAssociationEventListener upper)
    {
        using var limit = Limit();
        EndPoint? from = null;
        try
        {
            var remote = (IPEndPoint)socket.RemoteEndPoint!;
            from = remote;
            Stream stream = Over(socket);
            if (_setup.Certificate is { } certificate)
                stream = await certificate.AcceptAsync(stream, _log, limit.Token);
            var address = new Address(SchemeIdentifier, System.Name, remote.Address.ToString(), remote.Port);
            upper.Notify(new InboundAssociation(Open(stream, address)));
        }
        catch (Exception cause)
        {
            socket.Dispose();
            _log.Warning("{0} came as a member and is none: {1}", from, cause.Message);
        }
    }

    private static NetworkStream Over(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private MemberConnection Open(Stream stream, Address remote)
    {
        var connection = new MemberConnection(stream, Self, remote, _setup.ConnectTimeMax, _log);
        var running = connection.RunAsync();
        _open[connection] = running;
        _ = running.ContinueWith(_ => _open.TryRemove(connection, out var _), TaskScheduler.Default);
        if (_ending.IsCancellationRequested) connection.End();
        return connection;
    }

    private CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        limit.CancelAfter(_setup.ConnectTimeMax);
        return limit;
    }

    private static bool IsOfConnection(Exception cause) => cause is SocketException or IOException
        or AuthenticationException or OperationCanceledException or ObjectDisposedException;
}
