using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>Opens connections: TCP, TLS, the newest protocol that the node knows, login, keyspace.</summary>
internal sealed class Connector(CqlOptions options)
{
    private const int VersionMin = 4;

    private readonly ILogger _log = options.LoggerFactory.CreateLogger<CqlSession>();

    public CqlOptions Options => options;

    public async Task<Connection> OpenAsync(IPEndPoint endPoint, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            return await OpenNewestAsync(endPoint, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            throw CqlErrors.ConnectFailed.With(endPoint, e.Message).AsCql(e);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && IsLate(e))
        {
            var seconds = options.ConnectTimeout.TotalSeconds;
            throw CqlErrors.ConnectFailed.With(endPoint, $"It did not answer in {seconds} s.").AsCql(e);
        }
    }

    /// <summary>The whole took too long, or one call of it, whichever is noticed first.</summary>
    private static bool IsLate(Exception e) => e is OperationCanceledException
        || (e is CqlException cql && cql.Error.Definition == CqlErrors.TimedOut);

    private async Task<Connection> OpenNewestAsync(IPEndPoint endPoint, CancellationToken ct)
    {
        try
        {
            return await OpenAsync(endPoint, options.ProtocolVersionMax, ct).ConfigureAwait(false);
        }
        catch (CqlServerException e) when (e.ServerCode == ServerErrorCode.ProtocolError
            && options.ProtocolVersionMax > VersionMin)
        {
            var connection = await OpenAsync(endPoint, VersionMin, ct).ConfigureAwait(false);
            _log.OlderProtocol(endPoint, connection.Version);
            return connection;
        }
    }

    private async Task<Connection> OpenAsync(IPEndPoint endPoint, int version, CancellationToken ct)
    {
        var stream = await ConnectAsync(endPoint, ct).ConfigureAwait(false);
        var connection = new Connection(stream, endPoint, version, options, _log);
        connection.Start();
        try
        {
            await LogInAsync(connection).WaitAsync(ct).ConfigureAwait(false);
            connection.BeginHeartbeats();
            return connection;
        }
        catch (CqlException e) when (e.Error.Definition == CqlErrors.ConnectionLost)
        {
            throw Refused(endPoint, e);
        }
        catch (Exception e)
        {
            connection.Close(CqlErrors.ConnectFailed.With(endPoint, e.Message).AsCql(e));
            throw;
        }
    }

    /// <summary>
    /// In TLS 1.3 the client is done before the node has looked at the client's certificate; a refusal comes with the
    /// first read, as an error of TLS where a lost connection is one of the socket. Some nodes only close.
    /// </summary>
    private CqlException Refused(IPEndPoint endPoint, CqlException lost)
    {
        const string certificate = "if the node asks for a client certificate, it got none that it trusts";
        if (options.Tls is null) return CqlErrors.ConnectFailed.With(endPoint, lost.Error.Detail).AsCql(lost);
        if (lost.InnerException is not IOException { InnerException: { } tls and not SocketException })
            return CqlErrors.ConnectFailed.With(endPoint, $"{lost.Error.Detail} ({certificate})").AsCql(lost);
        var alert = new AuthenticationException(tls.GetBaseException().Message, tls);
        return CqlErrors.ConnectFailed.With(endPoint, $"{alert.Message} ({certificate})").AsCql(alert);
    }

    /// <summary>
    /// Connects on a thread. The runtime watches a socket for good that it has connected, or read, by itself, and would
    /// be woken for all that arrives beside the thread that reads it.
    /// </summary>
    private async Task<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken ct)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await using var cancelled = ct.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), socket);
        try
        {
            return await Task.Factory.StartNew(() => Connect(socket, endPoint), CancellationToken.None,
                TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (ct.IsCancellationRequested) throw new OperationCanceledException(null, e, ct);
            throw;
        }
    }

    private Stream Connect(Socket socket, IPEndPoint endPoint)
    {
        socket.Connect(endPoint);
        var plain = new SocketStream(socket);
        if (options.Tls is null) return plain;
        var tls = new SslStream(plain);
        tls.AuthenticateAsClient(options.Tls(endPoint));
        return tls;
    }

    private async Task LogInAsync(Connection connection)
    {
        var timeout = options.ConnectTimeout;
        var startup = Message.Startup(options.Compression == CqlCompression.Lz4);
        var reply = await connection.CallAsync(startup, timeout).ConfigureAwait(false);
        if (reply.Header.Opcode == Opcode.Authenticate)
        {
            var (username, password) = (options.Username, options.Password);
            if (username is null || password is null)
                throw CqlErrors.Of(ServerErrorCode.BadCredentials)
                    .With(connection.EndPoint, "The node asks for a login, and Username is not set.").AsCql();
            var credentials = Message.PlainCredentials(username, password);
            var wanted = new WireReader(reply.Body).String();
            reply = await connection.CallAsync(credentials, timeout).ConfigureAwait(false);
            if (reply.Header.Opcode == Opcode.AuthChallenge)
                throw CqlErrors.Of(ServerErrorCode.BadCredentials)
                    .With(connection.EndPoint, $"The node wants another authentication: {wanted}.").AsCql();
        }

        if (reply.Header.Opcode is not (Opcode.Ready or Opcode.AuthSuccess))
            throw CqlErrors.ProtocolViolated.With($"{reply.Header.Opcode} in the login").AsCql();
        if (options.Keyspace is { } keyspace)
            await connection.CallAsync(Message.Query($"USE \"{keyspace.Replace("\"", "\"\"")}\""), timeout)
                .ConfigureAwait(false);
    }
}
