using System.Runtime.CompilerServices;

namespace Millrace.Saql.Values;

/// <summary>
/// One value, without boxing. Text is unescaped UTF-8 within somebody else's array; a record or an array is its JSON
/// text there. A value is good for as long as the row that it belongs to.
/// </summary>
internal readonly struct Value
{
    private readonly byte[]? _bytes;
    private readonly long _bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Value(ValueKind kind, long bits, byte[]? bytes = null)
    {
        Kind = kind;
        _bits = bits;
        _bytes = bytes;
    }

    public ValueKind Kind { get; }

    public bool IsNull => Kind == ValueKind.Null;

    public static Value Null => default;

    public static Value Of(bool bit) => new(ValueKind.Bit, bit ? 1 : 0);

    public static Value Of(long integer) => new(ValueKind.BigInt, integer);

    public static Value Of(double number) => new(ValueKind.Float, BitConverter.DoubleToInt64Bits(number));

    /// <param name="ticks">100 ns since the year 1, UTC.</param>
    public static Value OfTicks(long ticks) => new(ValueKind.DateTime, ticks);

    public static Value OfText(byte[] bytes, int start, int length) => Slice(ValueKind.Text, bytes, start, length);

    public static Value OfText(byte[] bytes) => OfText(bytes, 0, bytes.Length);

    public static Value Slice(ValueKind kind, byte[] bytes, int start, int length) =>
        new(kind, ((long)start << 32) | (uint)length, bytes);

    /// <summary>A value from its kind and the bits of <see cref="Bits"/>; not for text, records and arrays.</summary>
    public static Value FromBits(ValueKind kind, long bits) => new(kind, bits);

    /// <summary>Truth as a value: unknown is null.</summary>
    public static Value Of(Truth truth) => truth == Truth.Unknown ? Null : Of(truth == Truth.True);

    public long Bits => _bits;

    public bool Bit => _bits != 0;

    public long Integer => _bits;

    public double Number => BitConverter.Int64BitsToDouble(_bits);

    public long Ticks => _bits;

    public int Start => (int)(_bits >> 32);

    public int Length => (int)_bits;

    public byte[]? Bytes => _bytes;

    /// <summary>The bytes of text, a record or an array.</summary>
    public ReadOnlySpan<byte> Utf8 => new(_bytes, Start, Length);

    public bool HasBytes => Kind >= ValueKind.Text;

    /// <summary>A bigint, float or bit as a float.</summary>
    public double AsNumber => Kind == ValueKind.Float ? Number : _bits;
}

/// <summary>Three-valued logic: a comparison with null is unknown, which filters as false does.</summary>
internal enum Truth : sbyte
{
    Unknown = -1,
    False = 0,
    True = 1,
}
