using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Millrace.TestKit.Network;

/// <summary>
/// Hands connections on to a server until a test cuts them or holds them up, and as slowly as it says.
/// </summary>
public sealed class BreakableProxy : IAsyncDisposable
{
    private const int BufferBytes = 16 * 1024;

    private readonly TcpListener _listener;
    private readonly string _host;
    private readonly int _port;
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _accepting;
    private long _bytesLeft = long.MaxValue;
    private volatile Pace _pace = new(TimeSpan.Zero, 0);
    private volatile TaskCompletionSource _open = new();
    private volatile byte[]? _holdAt;

    /// <param name="listenAt">A port of loopback; 0: any.</param>
    public BreakableProxy(string host, int port, int listenAt = 0)
    {
        (_host, _port) = (host, port);
        _open.SetResult();
        _listener = new TcpListener(IPAddress.Loopback, listenAt);
        _listener.Start();
        _accepting = Task.Run(AcceptAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How often connections were cut.</summary>
    public int Cuts { get; private set; }

    /// <summary>Every connection that is open ends without a word; new ones are taken.</summary>
    public void Cut()
    {
        Cuts++;
        foreach (var socket in _sockets.Keys) Close(socket);
    }

    /// <summary>Cuts after so many bytes more of what the server says.</summary>
    public void CutAfter(long bytes) => Interlocked.Exchange(ref _bytesLeft, bytes);

    /// <summary>From now on: what is said after a silence comes so much later, and each way has this rate.</summary>
    /// <param name="bytesPerSecond">0: as fast as it goes.</param>
    public void Slow(TimeSpan latency, long bytesPerSecond) => _pace = new Pace(latency, bytesPerSecond);

    public void Fast() => Slow(TimeSpan.Zero, 0);

    /// <summary>
    /// From now on nothing arrives, either way, and nobody is told, as when a cable is pulled. What was said meanwhile
    /// arrives when it is let go on.
    /// </summary>
    public void Hold() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Holds when a client next says something with these bytes in it, which does not arrive before.</summary>
    public void HoldAt(byte[] said) => _holdAt = said;

    public bool IsHolding => !_open.Task.IsCompleted;

    public void LetGoOn() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            var client = await _listener.AcceptSocketAsync(_stopped.Token);
            _sockets[client] = true;
            _ = Task.Run(() => ConnectAsync(client));
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await _open.Task.WaitAsync(_stopped.Token);
            await server.ConnectAsync(_host, _port, _stopped.Token);
            _sockets[server] = true;
            await Task.WhenAll(CopyAsync(client, server, counts: false), CopyAsync(server, client, counts: true));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It cannot be reached, or nobody needs it any more.
        }

        foreach (var end in new[] { server, client })
        {
            _sockets.TryRemove(end, out _);
            end.Dispose();
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool counts)
    {
        var buffer = new byte[BufferBytes];
        var spokenAt = 0L;
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer)) > 0; spokenAt = Stopwatch.GetTimestamp())
            {
                await Task.Delay(_pace.DelayOf(read, Stopwatch.GetElapsedTime(spokenAt)), TimeProvider.System,
                    _stopped.Token);
                if (!counts && _holdAt is { } held && buffer.AsSpan(0, read).IndexOf(held) >= 0)
                {
                    _holdAt = null;
                    Hold();
                }

                await _open.Task.WaitAsync(_stopped.Token);
                if (counts && Interlocked.Add(ref _bytesLeft, -read) < 0)
                {
                    Interlocked.Exchange(ref _bytesLeft, long.MaxValue);
                    Cut();
                    return;
                }

                await to.SendAsync(buffer.AsMemory(0, read));
            }

            // What was said before still arrives: only a cut throws it away.
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, by us or by an end.
            Close(from);
            Close(to);
        }
    }

    private void Close(Socket socket)
    {
        _sockets.TryRemove(socket, out _);
        socket.Close(0);
    }

    private sealed record Pace(TimeSpan Latency, long BytesPerSecond)
    {
        public TimeSpan DelayOf(int bytes, TimeSpan silence) => (silence > Latency ? Latency : TimeSpan.Zero)
            + (BytesPerSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)bytes / BytesPerSecond));
    }
}
