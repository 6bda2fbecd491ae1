using System.Buffers;

namespace Millrace.Mqtt.Tests;

/// <summary>Cuts bytes into a sequence of segments, as a socket would.</summary>
internal sealed class Segments : ReadOnlySequenceSegment<byte>
{
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, Random random)
    {
        var first = new Segments { Memory = bytes[..random.Next(bytes.Length + 1)] };
        var last = first;
        var cut = first.Memory.Length;
        while (cut < bytes.Length)
        {
            var length = Math.Min(random.Next(1, 40), bytes.Length - cut);
            var next = new Segments { Memory = bytes.Slice(cut, length), RunningIndex = cut };
            last.Next = next;
            last = next;
            cut += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
