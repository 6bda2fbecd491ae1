using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using Millrace.Integration.Tests.Gateway;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>Publishes 1, 2, 3, …, each a while after the one before was acknowledged.</summary>
internal sealed class HonestDevice(RawClient client) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ArrayBufferWriter<byte> _packet = new();

    // PUBACK without a reason, which means success.
    private readonly byte[] _answer = new byte[4];
    private int _read;
    private long _sentAt;
    private long _answeredAt;

    public Socket Socket => client.Socket;

    public int Acknowledged { get; private set; }

    public bool Waits { get; private set; }

    public void PublishWhenDue()
    {
        if (Waits || Stopwatch.GetElapsedTime(_answeredAt) < Period) return;
        _packet.ResetWrittenCount();
        client.Publish(_packet, "telemetry", $"{Acknowledged + 1}", PacketId);
        (_sentAt, _read, Waits) = (Stopwatch.GetTimestamp(), 0, true);
        Socket.Send(_packet.WrittenSpan);
    }

    /// <summary>Takes what is there: milliseconds when it completes the acknowledgement.</summary>
    public double? Read()
    {
        var count = Socket.Receive(_answer.AsSpan(_read));
        Assert.That(count, Is.Positive, "closed, or more than the acknowledgement");
        _read += count;
        if (_read < _answer.Length) return null;
        _answeredAt = Stopwatch.GetTimestamp();
        Assert.That(BinaryPrimitives.ReadInt32BigEndian(_answer), Is.EqualTo(0x4002 << 16 | PacketId), "PUBACK");
        (Waits, Acknowledged) = (false, Acknowledged + 1);
        return Stopwatch.GetElapsedTime(_sentAt, _answeredAt).TotalMilliseconds;
    }

    public void AssertPatience()
    {
        if (Waits) Assert.That(Stopwatch.GetElapsedTime(_sentAt), Is.LessThan(Patience), "no acknowledgement came");
    }

    public void Dispose() => client.Dispose();

    private ushort PacketId => (ushort)(1 + (Acknowledged + 1) % 60_000);
}
