using System.Net;
using System.Net.Sockets;

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

    public FakeServer(Func<FakeConnection, FakeRequest, Task> script)
    {
        _script = script;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The newest protocol that it knows.</summary>
    public int VersionMax { get; init; } = 5;

    /// <summary>Asks for this login, when there is one.</summary>
    public (string Username, string Password)? Login { get; init; }

    /// <summary>Answers a login with a challenge, as a node does that wants more than name and password.</summary>
    public bool Challenges { get; init; }

    /// <summary>How long a login waits for its first answer.</summary>
    public TimeSpan StartDelay { get; set; }

    /// <summary>Makes the stream of a connection that was accepted; for TLS.</summary>
    public Func<Stream, Task<Stream>> Secure { get; init; } = Task.FromResult;

    /// <summary>Other nodes that system.peers_v2 tells of.</summary>
    public List<IPEndPoint> Peers { get; } = [];

    public Guid HostId { get; } = Guid.NewGuid();

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
    };

    public async Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
    {
        var options = Options;
        change?.Invoke(options);
        return await CqlSession.ConnectAsync(options);
    }

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
                var connection = new FakeConnection(this, client);
                lock (_gate) _connections.Add(connection);
                _ = connection.ServeAsync();
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Stopped, while it waited or while it took somebody in.
        }
    }
}
