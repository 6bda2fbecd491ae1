using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Gateway.Sockets;

namespace Millrace.Gateway.Tests.Sockets;

/// <summary>A socket of a loop, and the client at the other end of it.</summary>
internal sealed class LoopPair : IAsyncDisposable
{
    private readonly EventLoop? _own;

    /// <param name="loop">Null: one of its own.</param>
    public LoopPair(int clientReceiveBytes = 0, EventLoop? loop = null)
    {
        loop ??= _own = new EventLoop(0, NullLogger.Instance);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (clientReceiveBytes > 0) Client.ReceiveBufferSize = clientReceiveBytes;
        Client.Connect(listener.LocalEndPoint!);
        var descriptor = Posix.Accept((int)listener.Handle, out _);
        Socket = new LoopSocket(loop, descriptor);
        Socket.Start();
    }

    public Socket Client { get; }

    public LoopSocket Socket { get; }

    /// <summary>What the client receives until the other side closes; null when it was reset.</summary>
    public async Task<byte[]?> ReceiveAllAsync()
    {
        var all = new List<byte>();
        var buffer = new byte[64 << 10];
        try
        {
            while (await Client.ReceiveAsync(buffer) is > 0 and var got) all.AddRange(buffer.AsSpan(0, got));
            return [.. all];
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>A test may have come to run on the loop's thread, which does not wait for itself.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_own is not null) await Task.Run(_own.Dispose);
    }
}
