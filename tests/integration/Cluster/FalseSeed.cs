using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>Listens where a seed should: as a process does that hangs, or is another one.</summary>
internal sealed class FalseSeed : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string? _answer;
    private readonly Task _running;
    private int _visits;

    /// <param name="answer">Said to whoever comes, before it hangs up; without one, nobody is answered.</param>
    public FalseSeed(string? answer)
    {
        _answer = answer;
        _listener.Start();
        _running = AcceptAllAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Visits => Volatile.Read(ref _visits);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _running;
    }

    private async Task AcceptAllAsync()
    {
        var silent = new List<Socket>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                Interlocked.Increment(ref _visits);
                if (_answer is null)
                {
                    silent.Add(socket);
                    continue;
                }

                await socket.ReceiveAsync(new byte[1000]);
                await socket.SendAsync(Encoding.ASCII.GetBytes(_answer));
                socket.Dispose();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }

        silent.ForEach(socket => socket.Dispose());
    }
}
