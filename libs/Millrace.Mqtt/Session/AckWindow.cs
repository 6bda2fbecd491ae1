using System.Buffers;
using System.Numerics;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;

namespace Millrace.Mqtt.Session;

/// <summary>
/// The QoS 1 and 2 publishes of a connection that are not answered yet, oldest first. PUBACK and PUBREC leave in the
/// order of the publishes (MQTT 5 §4.6), although the log's partitions ("lanes") finish in any order: a publish is
/// ready when its lane is durable up to it, and leaves when all before it have left.
/// <para>
/// One thread adds; one thread at a time (under a lock of the caller's) marks and writes. <see cref="Count"/> and
/// <see cref="IsFull"/> may be asked by either.
/// </para>
/// </summary>
public sealed class AckWindow(int max)
{
    private const int FirstCapacity = 8;
    private const short Answered = -1;

    private readonly Lock _resizing = new();
    private Entry[] _ring = new Entry[Math.Min(FirstCapacity, (int)BitOperations.RoundUpToPowerOf2((uint)max))];
    private long _head;
    private long _tail;
    private short _homeLane = Answered;
    private long _homeDurable = -1;
    private Dictionary<short, long>? _otherDurable;
    private long _receiptsWritten;

    public int Count => (int)(Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    public bool IsFull => Count >= max;

    /// <summary>PUBRECs of success that have left, each of which a PUBREL is to follow.</summary>
    public long ReceiptsWritten => Volatile.Read(ref _receiptsWritten);

    /// <summary>Adds a publish that waits for its lane, and gives the number by which it becomes durable.</summary>
    /// <param name="answer">PUBACK or PUBREC.</param>
    public long Add(ushort packetId, int lane, PacketType answer = PacketType.PubAck) =>
        Add(new Entry(packetId, checked((short)lane), ReasonCode.Success, answer, Text: null));

    /// <summary>
    /// Adds a publish that is answered already, refused or known from before: it waits only for those before it.
    /// </summary>
    /// <param name="text">The reason in words, in ASCII; it goes with the answer where there is room for it.</param>
    public long AddAnswered(
        ushort packetId, ReasonCode reason, PacketType answer = PacketType.PubAck, string? text = null) =>
        Add(new Entry(packetId, Answered, reason, answer, text));

    /// <summary>Whether the publish of this number was answered.</summary>
    public bool HasLeft(long number) => number < Volatile.Read(ref _head);

    /// <summary>All publishes of the lane up to this number are durable.</summary>
    public void MarkDurable(int lane, long number)
    {
        if (_homeLane == Answered) _homeLane = (short)lane;
        if (_homeLane == lane) _homeDurable = Math.Max(_homeDurable, number);
        else if (!IsDurable(lane, number)) (_otherDurable ??= [])[(short)lane] = number;
    }

    /// <summary>
    /// Whether the lane is durable up to this number. Under the same lock as <see cref="MarkDurable"/>.
    /// </summary>
    public bool IsDurable(int lane, long number)
    {
        if (lane == _homeLane) return number <= _homeDurable;
        return _otherDurable is not null && _otherDurable.TryGetValue((short)lane, out var durable)
            && number <= durable;
    }

    /// <summary>Writes the answers that may leave, all in one buffer, and returns how many.</summary>
    /// <param name="reasonBytesMax">The largest packet in which a refusal gives its reason in words; 0: none.</param>
    public int WriteReady(IBufferWriter<byte> target, MqttVersion version, uint reasonBytesMax = 0)
    {
        lock (_resizing)
        {
            var tail = Volatile.Read(ref _tail);
            var written = 0;
            while (_head + written < tail)
            {
                var run = SuccessRun(_head + written, tail);
                if (run > 0) WriteSuccesses(target, _head + written, run);
                written += run;
                if (_head + written >= tail) break;
                var entry = At(_head + written);
                if (entry.Lane != Answered) break;
                WriteAnswer(target, version, entry, reasonBytesMax);
                written++;
            }

            Volatile.Write(ref _head, _head + written);
            return written;
        }
    }

    private int SuccessRun(long from, long tail)
    {
        var number = from;
        while (number < tail && At(number) is { Lane: not Answered } entry && IsDurable(entry.Lane, number)) number++;
        return (int)(number - from);
    }

    private void WriteSuccesses(IBufferWriter<byte> target, long from, int count)
    {
        var span = target.GetSpan(count * 4);
        var used = 0;
        for (var i = 0; i < count; i++)
        {
            ref var entry = ref At(from + i);
            used += PacketWriter.PubAck(span[used..], entry.Answer, entry.PacketId);
            if (entry.Answer == PacketType.PubRec) Volatile.Write(ref _receiptsWritten, _receiptsWritten + 1);
        }

        target.Advance(used);
    }

    private void WriteAnswer(IBufferWriter<byte> target, MqttVersion version, Entry entry, uint reasonBytesMax)
    {
        if (entry is { Answer: PacketType.PubRec, Reason: ReasonCode.Success })
            Volatile.Write(ref _receiptsWritten, _receiptsWritten + 1);
        ReasonText.Write(target, version, new ReasonPacket
        {
            Type = entry.Answer,
            PacketId = entry.PacketId,
            Reason = entry.Reason,
        }, entry.Text, reasonBytesMax);
    }

    private long Add(Entry entry)
    {
        var (number, count) = (_tail, Count);
        if (count >= max) throw new InvalidOperationException("The window is full; the caller asks before it adds.");
        if (count == _ring.Length) Grow();
        At(number) = entry;
        Volatile.Write(ref _tail, number + 1);
        return number;
    }

    private void Grow()
    {
        lock (_resizing)
        {
            var larger = new Entry[_ring.Length * 2];
            for (var number = _head; number < _tail; number++) larger[number & (larger.Length - 1)] = At(number);
            _ring = larger;
        }
    }

    private ref Entry At(long number) => ref _ring[number & (_ring.Length - 1)];

    private readonly record struct Entry(
        ushort PacketId, short Lane, ReasonCode Reason, PacketType Answer, string? Text);
}
