using System.Net;
using System.Net.Sockets;
using Millrace.Gateway.Sockets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>One device of the load generator.</summary>
internal sealed unsafe class LoadConnection : IDisposable
{
    private const int AnswerBytes = 16 << 10;
    private static readonly byte[] Received = new byte[AnswerBytes];
    private static readonly byte[] Releases = new byte[AnswerBytes];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _connect;
    private nint _tls;
    private bool _isSecure;
    private byte[] _partial = [];
    private ushort _packetId;

    public LoadConnection(int port, bool tls, string device)
    {
        _connect = LoadPackets.Connect(device);
        _socket.NoDelay = true;
        _socket.Connect(IPAddress.Loopback, port);
        _socket.Blocking = false;
        Descriptor = (int)_socket.Handle;
        if (tls) _tls = OpenSsl.Attach(Descriptor);
    }

    public int Descriptor { get; }

    /// <summary>CONNACK has come, and it was a good one.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>The server has closed, as it may when it is asked for what it does not have.</summary>
    public bool IsClosed { get; private set; }

    public int InFlight { get; private set; }

    public void Begin()
    {
        if (_tls == 0) Send(_connect);
        else Handshake();
    }

    public void Publish(LoadPackets packets, int count)
    {
        InFlight += count;
        Send(packets.Publishes(count, ref _packetId));
    }

    /// <summary>Takes what has come, and returns how many publishes it completes.</summary>
    public int Take()
    {
        if (_tls != 0 && !_isSecure)
        {
            Handshake();
            return 0;
        }

        var done = 0;
        int got;
        do
        {
            _partial.CopyTo(Received, 0);
            got = Receive(Received.AsSpan(_partial.Length));
            if (got > 0) done += Parse(Received.AsSpan(0, _partial.Length + got));
        }
        while (got > 0 && _tls != 0);
        InFlight -= Math.Min(done, InFlight);
        return done;
    }

    public void Dispose()
    {
        if (_tls != 0) OpenSsl.Free(_tls);
        _tls = 0;
        _socket.Dispose();
    }

    private void Handshake()
    {
        var result = OpenSsl.Connect(_tls);
        _isSecure = result == 1;
        if (_isSecure) Send(_connect);
        else if (OpenSsl.Error(_tls, result) is not (OpenSsl.WantRead or OpenSsl.WantWrite))
            throw new IOException("The TLS handshake failed.");
    }

    /// <summary>All answers of 3.1.1 have 4 bytes, but PINGRESP, which has 2 and stands for a whole window.</summary>
    private int Parse(ReadOnlySpan<byte> bytes)
    {
        var (done, releases) = (0, 0);
        while (bytes.Length >= 2 && bytes.Length >= 2 + bytes[1])
        {
            switch (bytes[0])
            {
                case 0x40 or 0x70: done++; break;
                case 0xD0: done += InFlight; break;
                case 0x20: IsConnected = bytes[3] == 0; break;
                case 0x50:
                    ((ReadOnlySpan<byte>)[0x62, 2, bytes[2], bytes[3]]).CopyTo(Releases.AsSpan(releases));
                    releases += 4;
                    break;
                default: throw new IOException($"An answer begins with {bytes[0]:X2}.");
            }

            bytes = bytes[(2 + bytes[1])..];
        }

        _partial = bytes.IsEmpty ? [] : bytes.ToArray();
        if (releases > 0) Send(Releases.AsSpan(0, releases));
        return done;
    }

    private int Receive(Span<byte> target)
    {
        int got;
        if (_tls == 0) got = Posix.Receive(Descriptor, target);
        else fixed (byte* start = target) got = OpenSsl.Read(_tls, start, target.Length);
        if (got == 0 || (got < 0 && _tls == 0 && Posix.Errno != Posix.TryAgain)) IsClosed = true;
        return got;
    }

    /// <summary>A window is far smaller than what a socket takes: all is sent, or the connection is gone.</summary>
    private void Send(ReadOnlySpan<byte> bytes)
    {
        int sent;
        if (_tls == 0) sent = Posix.Send(Descriptor, bytes);
        else fixed (byte* start = bytes) sent = OpenSsl.Write(_tls, start, bytes.Length);
        if (sent != bytes.Length) IsClosed = true;
    }
}
