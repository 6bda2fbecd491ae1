using System.Buffers.Binary;
using System.Net.Sockets;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>Answers every request of a v5 connection with a void result, without allocating anything.</summary>
internal sealed class VoidLoop(Socket socket)
{
    private static readonly byte[] VoidBody = [0, 0, 0, 1];

    private readonly byte[] _input = new byte[1 << 20];
    private readonly WireBuffer _envelopes = new(1 << 20);
    private readonly WireBuffer _wire = new(1 << 20);
    private readonly EnvelopeWriter _writer = new(compress: false) { Framed = true };
    private int _end;

    public void Run()
    {
        try
        {
            while (true)
            {
                _writer.Write(_envelopes.Written, _wire);
                if (_wire.Length > 0) socket.Send(_wire.Written);
                _wire.Clear();
                _envelopes.Clear();
                // A receive that has to wait would make an object for it.
                socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
                var count = socket.Receive(_input.AsSpan(_end));
                if (count == 0) return;
                _end += count;
                Answer();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    public void Void(short stream)
    {
        new EnvelopeHeader(0x85, EnvelopeFlags.None, stream, Opcode.Result, VoidBody.Length)
            .Write(_envelopes.Take(EnvelopeHeader.Size));
        _envelopes.Raw(VoidBody);
    }

    private void Answer()
    {
        var at = 0;
        while (FrameHeader.Read(_input.AsSpan(at, _end - at), false, out var frame) == FrameStatus.Complete)
        {
            var start = at + FrameHeader.Size(false);
            if (_end - start < frame.Length + FrameHeader.TrailerSize) break;
            for (var one = start; one < start + frame.Length;)
            {
                Void(BinaryPrimitives.ReadInt16BigEndian(_input.AsSpan(one + 2)));
                one += EnvelopeHeader.Size + BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(one + 5));
            }

            at = start + frame.Length + FrameHeader.TrailerSize;
        }

        _input.AsSpan(at, _end - at).CopyTo(_input);
        _end -= at;
    }
}
