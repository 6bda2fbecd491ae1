using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Gateway.Tests.Sockets.Tls;

namespace Millrace.Gateway.Tests.Sockets;

/// <summary>A socket of a loop, and the client at the other end of it.</summary>
internal sealed partial class LoopPair : IAsyncDisposable
{
    private readonly EventLoop? _own;
    private Stream? _stream;

    /// <summary>Without TLS, for now.</summary>
    /// <param name="loop">Null: one of its own.</param>
    public LoopPair(int clientReceiveBytes = 0, EventLoop? loop = null)
    {
        loop ??= _own = NewLoop();
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

    /// <summary>Null without TLS.</summary>
    public TlsSession? Tls { get; set; }

    /// <summary>Bytes that have come and that the loop has not received.</summary>
    public int Unread
    {
        get
        {
            const nuint bytesRequest = 0x541B;
            Assert.That(Control(Socket.Descriptor, bytesRequest, out var bytes), Is.Zero);
            return bytes;
        }
    }

    private Stream Stream => _stream ??= new NetworkStream(Client);

    /// <param name="help">What it does at the end of each turn; null: nothing.</param>
    public static EventLoop NewLoop(Action? help = null) =>
        new("test-loop", help ?? (() => { }), NullLogger.Instance);

    /// <param name="seed">Odd: cuts what a TLS client sends into pieces of any size.</param>
    public static async Task<LoopPair> OpenAsync(
        bool tls, int clientReceiveBytes = 0, EventLoop? loop = null, int? seed = null)
    {
        var pair = new LoopPair(clientReceiveBytes, loop);
        if (!tls) return pair;
        Stream below = new NetworkStream(pair.Client);
        if (seed is { } odd && odd % 2 == 1) below = new CutStream(below, new Random(odd));
        var stream = new SslStream(below, false, (_, _, _, _) => true);
        var secure = TestTls.SecureAsync(pair.Socket, TestTls.Context);
        await stream.AuthenticateAsClientAsync("localhost");
        pair.Tls = await secure;
        Assert.That(pair.Tls, Is.Not.Null);
        pair._stream = stream;
        return pair;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, out int value);

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await Stream.WriteAsync(bytes);

    public void Send(ReadOnlySpan<byte> bytes) => Stream.Write(bytes);

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => Stream.ReadAsync(buffer);

    /// <summary>The client sends no more.</summary>
    public async Task EndAsync()
    {
        if (Stream is SslStream tls) await tls.ShutdownAsync();
        Client.Shutdown(SocketShutdown.Send);
    }

    /// <summary>What the client receives until the other side closes; null when it was reset.</summary>
    public async Task<byte[]?> ReceiveAllAsync()
    {
        var all = new List<byte>();
        var buffer = new byte[64 << 10];
        try
        {
            while (await ReceiveAsync(buffer) is > 0 and var got) all.AddRange(buffer.AsSpan(0, got));
            return [.. all];
        }
        catch (Exception failure) when (failure is IOException or SocketException)
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
