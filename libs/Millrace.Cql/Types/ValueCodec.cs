using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

/// <summary>Any codec, for values whose .NET type is known only when the program runs.</summary>
internal abstract class ValueCodec
{
    /// <summary>Whether values of <paramref name="type"/> can be read and written.</summary>
    public abstract bool Takes(CqlType type);

    /// <summary>Writes [bytes]: the length, then the value; null as a length of -1.</summary>
    public abstract void WriteObject(WireBuffer buffer, CqlType type, object value);

    /// <summary>Writes the value alone, without its length.</summary>
    protected internal abstract void WriteContent(WireBuffer buffer, CqlType type, object value);

    public abstract object? ReadObject(ReadOnlySpan<byte> bytes, bool isNull, CqlType type);

    /// <summary>Whether no bytes at all are a value, and not what old servers left as "empty".</summary>
    protected internal virtual bool TakesEmpty(CqlType type) => false;
}

/// <summary>Between one .NET type and the CQL types that fit it (section 5 of the specification).</summary>
internal abstract class ValueCodec<T> : ValueCodec
{
    private static readonly bool HasNull = default(T) is null;

    public void WriteValue(WireBuffer buffer, CqlType type, T value)
    {
        if (value is null)
        {
            buffer.Int(-1);
            return;
        }

        var start = buffer.BeginLength();
        Write(buffer, type, value);
        buffer.EndLength(start);
    }

    public T ReadValue(ReadOnlySpan<byte> bytes, bool isNull, CqlType type)
    {
        if (!isNull && (bytes.Length > 0 || TakesEmpty(type))) return Read(bytes, type);
        if (HasNull) return default!;
        throw Null(typeof(T), type);
    }

    public override void WriteObject(WireBuffer buffer, CqlType type, object value) =>
        WriteValue(buffer, type, (T)value);

    protected internal override void WriteContent(WireBuffer buffer, CqlType type, object value) =>
        Write(buffer, type, (T)value);

    public override object? ReadObject(ReadOnlySpan<byte> bytes, bool isNull, CqlType type) =>
        isNull ? null : ReadValue(bytes, isNull, type);

    /// <summary>Writes the value alone, without its length.</summary>
    protected internal abstract void Write(WireBuffer buffer, CqlType type, T value);

    protected internal abstract T Read(ReadOnlySpan<byte> bytes, CqlType type);

    protected static CqlException Null(Type wanted, CqlType type) =>
        CqlErrors.ValueOutOfRange.With("null", $"A {wanted.Name} from a {type}.").AsCql();

    protected static CqlException Malformed(int length, CqlType type) =>
        CqlErrors.ValueOutOfRange.With($"{length} bytes", $"They are not a {type}.").AsCql();
}

/// <summary>The codec of a .NET type, looked up once.</summary>
internal static class Codec<T>
{
    private static readonly ValueCodec<T>? Found = (ValueCodec<T>?)Codecs.Find(typeof(T));

    /// <summary>The codec, when it takes <paramref name="type"/>; else a CQ-9007 or CQ-9008.</summary>
    public static ValueCodec<T> For(CqlType type) =>
        Found is { } codec && codec.Takes(type) ? codec : throw Codecs.Refused(typeof(T), type);
}
