using System.Buffers.Binary;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

/// <summary>A list or a set: a count, then each element as [bytes] (section 5, list and set).</summary>
internal abstract class SequenceCodec<TSequence, T> : ValueCodec<TSequence>
    where TSequence : IEnumerable<T>
{
    private const int ElementBytesLeast = 4;

    public override bool Takes(CqlType type) =>
        type.Code is CqlTypeCode.List or CqlTypeCode.Set && Codecs.Find(typeof(T))?.Takes(type.Arguments[0]) == true;

    protected internal override void Write(WireBuffer buffer, CqlType type, TSequence value)
    {
        var codec = Codec<T>.For(type.Arguments[0]);
        var countAt = buffer.Length;
        buffer.Int(0);
        var count = 0;
        foreach (var element in value)
        {
            codec.WriteValue(buffer, type.Arguments[0], element);
            count++;
        }

        BinaryPrimitives.WriteInt32BigEndian(buffer.Rewrite(countAt, sizeof(int)), count);
    }

    protected internal override TSequence Read(ReadOnlySpan<byte> bytes, CqlType type)
    {
        var codec = Codec<T>.For(type.Arguments[0]);
        var reader = new WireReader(bytes);
        var elements = new T[reader.Count(reader.Int(), ElementBytesLeast)];
        for (var i = 0; i < elements.Length; i++)
        {
            var element = reader.Bytes(out var isNull);
            elements[i] = codec.ReadValue(element, isNull, type.Arguments[0]);
        }

        return From(elements);
    }

    protected abstract TSequence From(T[] elements);
}

internal sealed class ArrayCodec<T> : SequenceCodec<T[], T>
{
    protected override T[] From(T[] elements) => elements;
}

internal sealed class ListCodec<T> : SequenceCodec<List<T>, T>
{
    protected override List<T> From(T[] elements) => [.. elements];
}

internal sealed class ReadOnlyListCodec<T> : SequenceCodec<IReadOnlyList<T>, T>
{
    protected override IReadOnlyList<T> From(T[] elements) => elements;
}

internal sealed class SetCodec<T> : SequenceCodec<HashSet<T>, T>
{
    protected override HashSet<T> From(T[] elements) => [.. elements];
}

/// <summary>A map: a count, then key and value of each entry as [bytes].</summary>
internal sealed class MapCodec<TKey, TValue> : ValueCodec<Dictionary<TKey, TValue>>
    where TKey : notnull
{
    private const int EntryBytesLeast = 8;

    public override bool Takes(CqlType type) => type.Code == CqlTypeCode.Map
        && Codecs.Find(typeof(TKey))?.Takes(type.Arguments[0]) == true
        && Codecs.Find(typeof(TValue))?.Takes(type.Arguments[1]) == true;

    protected internal override void Write(WireBuffer buffer, CqlType type, Dictionary<TKey, TValue> value)
    {
        var (keys, values) = (Codec<TKey>.For(type.Arguments[0]), Codec<TValue>.For(type.Arguments[1]));
        buffer.Int(value.Count);
        foreach (var (key, entry) in value)
        {
            keys.WriteValue(buffer, type.Arguments[0], key);
            values.WriteValue(buffer, type.Arguments[1], entry);
        }
    }

    protected internal override Dictionary<TKey, TValue> Read(ReadOnlySpan<byte> bytes, CqlType type)
    {
        var (keys, values) = (Codec<TKey>.For(type.Arguments[0]), Codec<TValue>.For(type.Arguments[1]));
        var reader = new WireReader(bytes);
        var count = reader.Count(reader.Int(), EntryBytesLeast);
        var map = new Dictionary<TKey, TValue>(count);
        for (var i = 0; i < count; i++)
        {
            var key = keys.ReadValue(reader.Bytes(out var keyIsNull), keyIsNull, type.Arguments[0]);
            map[key] = values.ReadValue(reader.Bytes(out var isNull), isNull, type.Arguments[1]);
        }

        return map;
    }
}

internal sealed class NullableCodec<T> : ValueCodec<T?>
    where T : struct
{
    public override bool Takes(CqlType type) => Codecs.Find(typeof(T))?.Takes(type) == true;

    protected internal override bool TakesEmpty(CqlType type) => Codec<T>.For(type).TakesEmpty(type);

    protected internal override void Write(WireBuffer buffer, CqlType type, T? value) =>
        Codec<T>.For(type).Write(buffer, type, value!.Value);

    protected internal override T? Read(ReadOnlySpan<byte> bytes, CqlType type) =>
        Codec<T>.For(type).Read(bytes, type);
}
