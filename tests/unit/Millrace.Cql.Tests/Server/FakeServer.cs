using System.Net;
using System.Net.Sockets;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>
/// A node of one that answers as a test says. The login and the reading of the ring it answers by itself; all else is
/// the script's, and what the script does not answer stays unanswered.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<FakeConnection, FakeRequest, Task> _script;
    private readonly List<FakeConnection> _connections = [];
    private readonly Lock _gate = new();
    private readonly Task _accepting;
    private bool _isDown;

    public FakeServer(Func<FakeConnection, FakeRequest, Task> script)
    {
        _script = script;
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        Tokens = [EndPoint.Port];
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>The newest protocol that it knows.</summary>
    public int VersionMax { get; init; } = 5;

    /// <summary>Asks for this login, when there is one.</summary>
    public (string Username, string Password)? Login { get; init; }

    /// <summary>Answers a login with a challenge, as a node does that wants more than name and password.</summary>
    public bool Challenges { get; init; }

    /// <summary>How long a login waits for its first answer.</summary>
    public TimeSpan StartDelay { get; set; }

    /// <summary>Whether it speaks TLS, and <see cref="Options"/> too.</summary>
    public bool IsSecure { get; init; }

    /// <summary>Makes the stream of a connection that was accepted; unset, as <see cref="IsSecure"/> says.</summary>
    public Func<Stream, Task<Stream>>? Secure { get; init; }

    /// <summary>So much leaves in one write, and one record of TLS.</summary>
    public int WriteBytesMax { get; init; } = int.MaxValue;

    /// <summary>Other nodes that system.peers_v2 tells of.</summary>
    public List<FakeServer> Peers { get; } = [];

    public Guid HostId { get; } = Guid.NewGuid();

    public string Datacenter { get; init; } = "dc1";

    public string Rack { get; init; } = "r1";

    /// <summary>Where its ranges end.</summary>
    public long[] Tokens { get; init; }

    /// <summary>What it tells when it is asked for the version of its schema.</summary>
    public Func<Guid> SchemaVersion { get; set; } = () => Guid.Empty;

    /// <summary>How the keyspace ks is spread.</summary>
    public Dictionary<string, string> Replication { get; init; } = new()
    {
        ["class"] = "SimpleStrategy",
        ["replication_factor"] = "1",
    };

    /// <summary>Connections that it dropped at once, being down.</summary>
    public int Refusals { get; private set; }

    public IReadOnlyList<FakeConnection> Connections
    {
        get
        {
            lock (_gate) return [.. _connections];
        }
    }

    public CqlOptions Options => new()
    {
        ContactPoints = [EndPoint.ToString()],
        Port = EndPoint.Port,
        RequestTimeout = TimeSpan.FromSeconds(5),
        ReconnectDelayMin = TimeSpan.FromMilliseconds(10),
        Tls = IsSecure ? _ => FakeTls.Client : null,
    };

    public async Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
    {
        var options = Options;
        change?.Invoke(options);
        return await CqlSession.ConnectAsync(options);
    }

    /// <summary>Drops all connections, and new ones too until it recovers.</summary>
    public void Fail()
    {
        lock (_gate) _isDown = true;
        foreach (var connection in Connections) connection.Dispose();
    }

    public void Recover()
    {
        lock (_gate) _isDown = false;
    }

    /// <summary>Tells who asked for events that this befell a node.</summary>
    public async Task TellAsync(string kind, string change, FakeServer node)
    {
        foreach (var connection in Connections.Where(connection => connection.IsControl))
            await connection.SendAsync(-1, Opcode.Event, body =>
            {
                body.String(kind);
                body.String(change);
                body.Inet(node.EndPoint);
            });
    }

    public Task<Stream> OpenAsync(Stream stream) =>
        Secure is { } secure ? secure(stream) : IsSecure ? FakeTls.ServeAsync(stream) : Task.FromResult(stream);

    public Task OnRequestAsync(FakeConnection connection, FakeRequest request) => _script(connection, request);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var connection in Connections) connection.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                client.NoDelay = true;
                if (TryAdmit(client) is { } connection) _ = connection.ServeAsync();
                else client.Dispose();
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Stopped, while it waited or while it took somebody in.
        }
    }

    private FakeConnection? TryAdmit(TcpClient client)
    {
        lock (_gate)
        {
            if (_isDown)
            {
                Refusals++;
                return null;
            }

            var connection = new FakeConnection(this, client);
            _connections.Add(connection);
            return connection;
        }
    }
}
