using System.Buffers;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>What a step of the handshake has come to.</summary>
internal enum HandshakeStep
{
    /// <summary>The client is to say more.</summary>
    More,
    Done,
    Failed,
}

/// <summary>
/// TLS on a socket. The loop receives, which is this part, and anyone sends, but OpenSSL serves one thread at a time.
/// One call receives from the socket once at most, whatever came, and little from who sent records that held nothing: a
/// flood of new keys, each of which costs as much as a message, ends with the turn.
/// </summary>
internal sealed unsafe partial class TlsSession : IDisposable
{
    private readonly SslHandle _ssl;
    private readonly int _descriptor;
    private ArrayBufferWriter<byte>? _flight = new();
    private ReadOnlyMemory<byte> _carried;
    private int _mayReceive;
    private bool _isSocketEmpty;
    private bool _isSocketReadable = true;
    private bool _heldNothing;
    private bool _isOver;

    /// <param name="descriptor">Not closed by this object.</param>
    public TlsSession(SslContextHandle context, int descriptor, int unsentBytesMax, GatewayMetrics metrics)
    {
        (_unsentBytesMax, _metrics) = (unsentBytesMax, metrics);
        _ssl = new SslHandle(context);
        _descriptor = descriptor;
        var bio = SocketBio.New();
        OpenSsl.SetBio(_ssl, bio, bio);
    }

    /// <summary>The peer has closed its side.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Nothing of OpenSSL is left of it.</summary>
    public bool IsFreed => _ssl.IsClosed;

    /// <summary>Of a handshake that has failed.</summary>
    public string Failure { get; private set; } = "";

    /// <summary>Goes on with what was received; the answer, which may be empty, is to be sent in any case.</summary>
    public HandshakeStep ShakeHands(ReadOnlyMemory<byte> received, out ReadOnlyMemory<byte> answer)
    {
        lock (this)
        {
            _carried = received;
            _flight = new ArrayBufferWriter<byte>();
            Begin(mayReceive: 0);
            var result = OpenSsl.Accept(_ssl);
            var step = result == 1 ? HandshakeStep.Done
                : OpenSsl.GetError(_ssl.DangerousGetHandle(), result) == OpenSsl.WantRead ? HandshakeStep.More
                : HandshakeStep.Failed;
            SocketBio.AtWork = null;
            if (step == HandshakeStep.Failed) (_isOver, Failure) = (true, OpenSsl.TakeError());
            answer = _flight.WrittenMemory;
            if (step != HandshakeStep.More) _flight = null;
            return step;
        }
    }

    /// <summary>The client's certificate, also of a session that it has resumed; null when it has shown none.</summary>
    public X509Certificate2? PeerCertificate()
    {
        var certificate = OpenSsl.PeerCertificate(_ssl);
        if (certificate == 0) return null;
        try
        {
            var der = new byte[OpenSsl.WriteCertificate(certificate, null)];
            fixed (byte* start = der)
            {
                var end = start;
                _ = OpenSsl.WriteCertificate(certificate, &end);
            }

            return X509CertificateLoader.LoadCertificate(der);
        }
        finally
        {
            OpenSsl.FreeCertificate(certificate);
        }
    }

    /// <summary>
    /// As <see cref="Posix.Receive"/>. Interrupted: nothing came out of what was received, or someone sends just now,
    /// for whom the loop does not wait; but there may be more.
    /// </summary>
    public int Receive(Span<byte> target, out bool hasMore)
    {
        hasMore = true;
        if (!Monitor.TryEnter(this)) return -Posix.Interrupted;
        try
        {
            return ReceiveLocked(target, out hasMore);
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    private int ReceiveLocked(Span<byte> target, out bool hasMore)
    {
        hasMore = false;
        if (_isOver) return -Posix.BrokenPipe;
        Begin(mayReceive: _heldNothing ? EventLoop.LightBytes : target.Length);
        var (got, error) = ReadRecords(target);
        SocketBio.AtWork = null;
        hasMore = _isSocketReadable || got == target.Length;
        _heldNothing = got == 0;
        if (_isOver || error is not (0 or OpenSsl.WantRead))
        {
            _isOver |= error != OpenSsl.ZeroReturn;
            hasMore = got > 0;
            return got > 0 || !_isOver ? got : -Posix.BrokenPipe;
        }

        if (got > 0) return got;
        if (_isSocketEmpty) return -Posix.TryAgain;
        hasMore = true;
        return -Posix.Interrupted;
    }

    public void Dispose()
    {
        lock (this)
        {
            _isOver = true;
            _ssl.Dispose();
        }
    }

    /// <summary>OpenSSL asks for bytes.</summary>
    public int Supply(Span<byte> target)
    {
        if (!_carried.IsEmpty)
        {
            var count = Math.Min(target.Length, _carried.Length);
            _carried.Span[..count].CopyTo(target);
            _carried = _carried[count..];
            return count;
        }

        if (_mayReceive == 0) return -Posix.TryAgain;
        if (target.Length > _mayReceive) target = target[.._mayReceive];
        _mayReceive = 0;
        var received = Posix.Receive(_descriptor, target);
        _isSocketReadable = received == target.Length;
        _isSocketEmpty = received == -Posix.TryAgain;
        HasEnded = received == 0;
        return received;
    }

    private bool IsPending => OpenSsl.HasPending(_ssl.DangerousGetHandle()) == 1;

    private void Begin(int mayReceive)
    {
        OpenSsl.ClearErrors();
        SocketBio.AtWork = this;
        _mayReceive = mayReceive;
        _isSocketEmpty = false;
    }

    /// <summary>A record a call is what OpenSSL gives.</summary>
    private (int Got, int Error) ReadRecords(Span<byte> target)
    {
        var ssl = _ssl.DangerousGetHandle();
        var got = 0;
        fixed (byte* start = target)
        {
            do
            {
                var read = OpenSsl.Read(ssl, start + got, target.Length - got);
                if (read <= 0) return (got, OpenSsl.GetError(ssl, read));
                got += read;
            }
            while (got < target.Length && IsPending);
        }

        return (got, 0);
    }
}
