using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

internal delegate void WriteScalar<in T>(WireBuffer buffer, T value);

internal delegate T ReadScalar<out T>(ReadOnlySpan<byte> bytes);

/// <summary>A value without parts: what it is made of stands in <see cref="ScalarCodecs"/>.</summary>
internal sealed class ScalarCodec<T>(WriteScalar<T> write, ReadScalar<T> read, int size, params CqlTypeCode[] codes)
    : ValueCodec<T>
{
    /// <summary>A size that is not fixed.</summary>
    public const int AnySize = -1;

    /// <summary>A size that is not fixed, and may be 0.</summary>
    public const int AnySizeOrEmpty = -2;

    private readonly ulong _codes = codes.Aggregate(0UL, (mask, code) => mask | (1UL << (int)code));

    public override bool Takes(CqlType type) => (_codes >> (int)type.Code & 1) != 0;

    protected internal override bool TakesEmpty(CqlType type) => size == AnySizeOrEmpty;

    protected internal override void Write(WireBuffer buffer, CqlType type, T value) => write(buffer, value);

    protected internal override T Read(ReadOnlySpan<byte> bytes, CqlType type) =>
        size < 0 || bytes.Length == size ? read(bytes) : throw Malformed(bytes.Length, type);
}
