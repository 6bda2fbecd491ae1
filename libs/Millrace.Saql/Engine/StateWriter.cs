using System.Buffers;
using System.Buffers.Binary;
using Millrace.Primitives;

namespace Millrace.Saql.Engine;

/// <summary>Writes a state's parts, little-endian, without names.</summary>
internal sealed class StateWriter(IBufferWriter<byte> target)
{
    public void Write(int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target.GetSpan(4), number);
        target.Advance(4);
    }

    public void Write(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target.GetSpan(8), number);
        target.Advance(8);
    }

    public void Write(double number) => Write(BitConverter.DoubleToInt64Bits(number));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Write(bytes.Length);
        target.Write(bytes);
    }
}

/// <summary>Reads what <see cref="StateWriter"/> wrote; a state that does not fit is an error SQ-0201.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> state)
{
    private ReadOnlySpan<byte> _rest = state;

    public readonly bool AtEnd => _rest.IsEmpty;

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double ReadDouble() => BitConverter.Int64BitsToDouble(ReadInt64());

    public int ReadCount()
    {
        var count = ReadInt32();
        return count >= 0 && count <= _rest.Length ? count : throw Damaged();
    }

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadInt32());

    public readonly MillraceException Damaged(string? what = null) =>
        SaqlErrors.ForeignState.With(what ?? "damaged").AsException();

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length) throw Damaged();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
