using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>
/// A TCP proxy on loopback that, when told, lets a request through and resets the connection in place of its answer, or
/// keeps the end of its answer for itself.
/// </summary>
internal sealed class AnswerCutter : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly Task _accepting;
    private string[]? _losing;
    private int _lost;
    private long _passing;

    public AnswerCutter(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many answers were lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>The next request whose head has all of these loses its answer.</summary>
    public void LoseNext(params string[] inHead) => Volatile.Write(ref _losing, inHead);

    /// <summary>Of the answer to the next such request only so many bytes arrive, and the connection stays.</summary>
    public void SwallowNext(long after, params string[] inHead)
    {
        Volatile.Write(ref _passing, after);
        LoseNext(inHead);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        while (true) _ = ServeAsync(await _listener.AcceptSocketAsync());
    }

    private async Task ServeAsync(Socket client)
    {
        using var both = client;
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var way = new Way();
        try
        {
            client.NoDelay = server.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, _target);
            var up = UpAsync(client, server, way);
            await Task.WhenAny(up, DownAsync(server, client, way));
            if (way.Stays) await up;
        }
        catch (SocketException)
        {
            // Either side went away.
        }
    }

    private async Task UpAsync(Socket client, Socket server, Way way)
    {
        var buffer = new byte[64 << 10];
        while (await client.ReceiveAsync(buffer) is > 0 and var count)
        {
            var losing = Volatile.Read(ref _losing);
            var text = Encoding.ASCII.GetString(buffer, 0, Math.Min(count, 4096));
            if (losing is not null && losing.All(text.Contains)
                && Interlocked.CompareExchange(ref _losing, null, losing) == losing) way.Loses = true;
            for (var sent = 0; sent < count;) sent += await server.SendAsync(buffer.AsMemory(sent, count - sent));
        }
    }

    private async Task DownAsync(Socket server, Socket client, Way way)
    {
        var buffer = new byte[64 << 10];
        while (await server.ReceiveAsync(buffer) is > 0 and var count)
        {
            if (way.Loses && !Encoding.ASCII.GetString(buffer, 0, Math.Min(count, 64)).Contains(" 100 "))
            {
                Interlocked.Increment(ref _lost);
                if (Interlocked.Exchange(ref _passing, 0) is > 0 and var passing)
                {
                    way.Stays = true;
                    await SwallowAsync(server, client, buffer, count, passing);
                    return;
                }

                client.LingerState = new LingerOption(true, 0);
                return;
            }

            for (var sent = 0; sent < count;) sent += await client.SendAsync(buffer.AsMemory(sent, count - sent));
        }

        // Closed while a receive is pending, a socket that was not shut down is reset: what it sent would be lost.
        client.Shutdown(SocketShutdown.Send);
    }

    private static async Task SwallowAsync(Socket server, Socket client, byte[] buffer, int count, long passing)
    {
        for (; count > 0; count = await server.ReceiveAsync(buffer))
        {
            var passed = (int)Math.Min(count, passing);
            for (var sent = 0; sent < passed;) sent += await client.SendAsync(buffer.AsMemory(sent, passed - sent));
            passing -= passed;
        }
    }

    private sealed class Way
    {
        public volatile bool Loses;

        /// <summary>The client is not told that the server has ended it.</summary>
        public volatile bool Stays;
    }
}
