using System.Buffers.Binary;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>Values as bytes: in keys of groups, in buffered rows and in saved states.</summary>
internal static class ValueCodec
{
    private const double ExactIntegerMax = 9007199254740992;

    public static int Size(in Value value) => value.Kind switch
    {
        ValueKind.Null => 1,
        < ValueKind.Text => 9,
        _ => 5 + value.Length,
    };

    public static int Write(Span<byte> target, in Value value)
    {
        target[0] = (byte)value.Kind;
        if (value.Kind == ValueKind.Null) return 1;
        if (value.Kind < ValueKind.Text)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target[1..], value.Bits);
            return 9;
        }

        BinaryPrimitives.WriteInt32LittleEndian(target[1..], value.Length);
        value.Utf8.CopyTo(target[5..]);
        return 5 + value.Length;
    }

    /// <summary>The value at a place of an array; bytes stay where they are.</summary>
    public static Value Read(byte[] array, ref int at)
    {
        var kind = (ValueKind)array[at++];
        if (kind == ValueKind.Null) return Value.Null;
        if (kind < ValueKind.Text)
        {
            at += 8;
            return Value.FromBits(kind, BinaryPrimitives.ReadInt64LittleEndian(array.AsSpan(at - 8)));
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(array.AsSpan(at));
        at += 4 + length;
        return Value.Slice(kind, array, at - length, length);
    }

    /// <summary>The value by which equal ones are found: 1.0 is in the group of 1.</summary>
    public static Value Canonical(in Value value)
    {
        if (value.Kind != ValueKind.Float) return value;
        var number = value.Number;
        return Math.Abs(number) <= ExactIntegerMax && Math.Truncate(number) == number ? Value.Of((long)number) : value;
    }
}
