using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>
/// A TCP proxy on loopback whose connections can be cut, and that can be made to swallow what a side sends, as a broken
/// network does.
/// </summary>
internal sealed class CutProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, Socket> _connections = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile bool _swallowsUp;
    private volatile bool _isDown;
    private long _accepted;

    public CutProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>From now on nothing that clients send arrives: the server's messages do, their acks do not.</summary>
    public void SwallowUp() => _swallowsUp = true;

    /// <summary>Resets all connections.</summary>
    public void Cut()
    {
        _swallowsUp = false;
        foreach (var (client, server) in _connections)
        {
            Reset(client);
            Reset(server);
        }
    }

    /// <summary>Cuts, and lets nobody in until it is up again.</summary>
    public void Down(bool down)
    {
        _isDown = down;
        if (down) Cut();
    }

    public async ValueTask DisposeAsync()
    {
        _isDown = true;
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptSocketAsync();
            if (_isDown)
            {
                Reset(client);
                continue;
            }

            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target);
            }
            catch (SocketException)
            {
                Reset(client);
                Reset(server);
                continue;
            }

            client.NoDelay = server.NoDelay = true;
            Interlocked.Increment(ref _accepted);
            _connections[client] = server;
            if (_isDown)
            {
                Reset(client);
                Reset(server);
            }

            _ = PumpAsync(client, server, isUp: true);
            _ = PumpAsync(server, client, isUp: false);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isUp)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (isUp && _swallowsUp) continue;
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Reset(from);
            Reset(to);
        }

        if (isUp) _connections.TryRemove(from, out _);
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        catch (SocketException)
        {
            // It is closed all the same.
        }

        socket.Dispose();
    }
}
