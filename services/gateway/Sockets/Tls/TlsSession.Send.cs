using System.Buffers;
using Millrace.Primitives;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// Sending. OpenSSL gives each record away whole, whether the socket takes it or not: it would not read in the middle
/// of one, nor say of itself what has to be said.
/// </summary>
internal sealed unsafe partial class TlsSession
{
    /// <summary>What one record holds.</summary>
    private const int RecordBytes = 16 << 10;

    private readonly int _unsentBytesMax;
    private readonly GatewayMetrics _metrics;
    private Backlog _backlog;
    private long _sent;

    /// <summary>
    /// More than a send leaves, however small the peer wants its records. Only what is received makes it more: of
    /// whoever reads nothing, and says what is to be answered again and again.
    /// </summary>
    public static ByteSize UnsentBytesLeast { get; } = new(3 * RecordBytes / 2);

    /// <summary>Bytes that the socket has taken since the handshake.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Whether the socket is to take bytes of which <see cref="Send"/> has said that they are sent.</summary>
    public bool HasBacklog => _backlog.Count > 0;

    /// <summary>
    /// Whether a send waits for the peer, which has said one part of a change of keys and not yet the other. Nothing
    /// can be sent meanwhile, but only the loop receives.
    /// </summary>
    public bool SendAwaitsPeer { get; private set; }

    /// <summary>
    /// As <see cref="Posix.Send(int, ReadOnlySpan{byte})"/>. The socket may not have taken all of what was sent: the
    /// rest goes before anything else, and alone when nothing else is to be sent.
    /// </summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        lock (this)
        {
            if (SendBacklog() is < 0 and var failure) return failure;
            if (bytes.IsEmpty) return 0;
            Begin(mayReceive: 0);
            int sent, error = 0;
            fixed (byte* start = bytes)
                sent = OpenSsl.Write(_ssl.DangerousGetHandle(), start, Math.Min(bytes.Length, RecordBytes));
            if (sent <= 0) error = OpenSsl.GetError(_ssl.DangerousGetHandle(), sent);
            SocketBio.AtWork = null;
            if (sent > 0) return sent;
            SendAwaitsPeer = error == OpenSsl.WantRead;
            if (SendAwaitsPeer) return -Posix.TryAgain;
            _isOver = true;
            return -Posix.BrokenPipe;
        }
    }

    /// <summary>There is room for what the socket did not take.</summary>
    public void SendRest()
    {
        lock (this) _ = SendBacklog();
    }

    /// <summary>
    /// Receives for the send that waits for the peer, since nobody else may want to receive; what is behind it is
    /// kept. Whether the send is to be tried again.
    /// </summary>
    public bool TryReceiveForSend()
    {
        lock (this)
        {
            SendAwaitsPeer = false;
            if (_isOver) return true;
            int result, error;
            do
            {
                Begin(EventLoop.LightBytes);
                result = OpenSsl.Accept(_ssl);
                error = result == 1 ? 0 : OpenSsl.GetError(_ssl.DangerousGetHandle(), result);
                SocketBio.AtWork = null;
            }
            while (error == OpenSsl.WantRead && _isSocketReadable);

            SendAwaitsPeer = error == OpenSsl.WantRead;
            _isOver |= error is not (0 or OpenSsl.WantRead);
            return !SendAwaitsPeer;
        }
    }

    /// <summary>Tells the peer that nothing more comes, if there is room to tell it.</summary>
    public void SayEnd()
    {
        lock (this)
        {
            if (_isOver) return;
            Begin(mayReceive: 0);
            _ = OpenSsl.Shutdown(_ssl.DangerousGetHandle());
            SocketBio.AtWork = null;
        }
    }

    /// <summary>OpenSSL gives bytes away.</summary>
    public int Deliver(ReadOnlySpan<byte> bytes)
    {
        if (_flight is not null)
        {
            _flight.Write(bytes);
            return bytes.Length;
        }

        // It goes on with the records that it has, each of which may ask again.
        if (_isOver) return -Posix.BrokenPipe;
        if (_backlog.Count + bytes.Length > _unsentBytesMax)
        {
            _metrics.TlsUnsentExceeded();
            _isOver = true;
            return -Posix.BrokenPipe;
        }

        var sent = HasBacklog ? 0 : SendNow(bytes);
        if (IsFailure(sent)) return sent;
        _backlog.Add(bytes[Math.Max(sent, 0)..]);
        return bytes.Length;
    }

    /// <summary>0, or an error, negated.</summary>
    private int SendBacklog()
    {
        if (_isOver) return -Posix.BrokenPipe;
        while (HasBacklog)
        {
            var sent = SendNow(_backlog.Bytes);
            if (sent < 0)
            {
                _isOver = IsFailure(sent);
                return sent;
            }

            _backlog.Take(sent);
        }

        return 0;
    }

    private static bool IsFailure(int sent) => sent < 0 && sent is not (-Posix.TryAgain or -Posix.Interrupted);

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        var sent = Posix.Send(_descriptor, bytes);
        if (sent > 0) Volatile.Write(ref _sent, _sent + sent);
        return sent;
    }
}
