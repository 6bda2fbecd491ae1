using System.Net;
using System.Net.Sockets;

namespace Millrace.Hostile;

/// <summary>A socket from an address of its own that is closed by a reset, so that no port has to wait.</summary>
public sealed class AttackSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly CpuShare _share;

    private AttackSocket(CpuShare share, int receiveBytes)
    {
        _share = share;
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            LingerState = new LingerOption(true, 0),
        };
        if (receiveBytes > 0) _socket.ReceiveBufferSize = receiveBytes;
    }

    public static async Task<AttackSocket> OpenAsync(
        AttackTarget target, Random random, CancellationToken stop, int receiveBytes = 0, bool tls = false)
    {
        await target.Share.WaitAsync(stop);
        var socket = new AttackSocket(target.Share, receiveBytes);
        try
        {
            socket._socket.Bind(new IPEndPoint(AttackTarget.AnyAddress(random), 0));
            await socket._socket.ConnectAsync(IPAddress.Loopback, tls ? target.TlsPort : target.Port, stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects as one of the attackers' own devices.</summary>
    public static async Task<AttackSocket> LoginAsync(
        AttackTarget target, Random random, CancellationToken stop, int level = 5, int keepAlive = 0)
    {
        var socket = await OpenAsync(target, random, stop);
        await socket.SendAsync(Wire.Connect(
            target.AnyDevice(random), target.Key, level, keepAlive, clientId: $"c{random.Next()}"), stop);
        return socket;
    }

    public Stream Stream => new NetworkStream(_socket);

    public async Task SendAsync(byte[] bytes, CancellationToken stop)
    {
        await _share.WaitAsync(stop);
        for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty;)
            rest = rest[await _socket.SendAsync(rest, SocketFlags.None, stop)..];
    }

    /// <summary>Reads whatever comes until the server closes, or for a time.</summary>
    public async Task ReadAsync(TimeSpan time, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(time);
        var buffer = new byte[4_096];
        try
        {
            while (await _socket.ReceiveAsync(buffer, SocketFlags.None, timeout.Token) > 0)
            {
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Long enough.
        }
    }

    public void Dispose() => _socket.Dispose();
}
