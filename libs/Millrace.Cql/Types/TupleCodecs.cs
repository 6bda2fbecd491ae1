using System.Runtime.CompilerServices;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

/// <summary>Parts one behind the other as [bytes], as tuples and udts have them.</summary>
internal static class Parts
{
    public static void Write(WireBuffer buffer, CqlType type, object? value)
    {
        if (value is null) buffer.Int(-1);
        else Codecs.For(value.GetType(), type).WriteObject(buffer, type, value);
    }

    /// <summary>Parts that are missing at the end are null: they were added to a udt later.</summary>
    public static object? Read(ref WireReader reader, CqlType type, Type wanted)
    {
        if (reader.Remaining == 0) return null;
        var bytes = reader.Bytes(out var isNull);
        return isNull ? null : Codecs.For(wanted, type).ReadObject(bytes, isNull, type);
    }
}

/// <summary>A tuple as an array of objects.</summary>
internal sealed class TupleCodec : ValueCodec<object?[]>
{
    public override bool Takes(CqlType type) => type.Code == CqlTypeCode.Tuple;

    protected internal override void Write(WireBuffer buffer, CqlType type, object?[] value)
    {
        if (value.Length != type.Arguments.Count)
            throw CqlErrors.TypeMismatch.With($"{value.Length} parts for {type}").AsCql();
        for (var i = 0; i < value.Length; i++) Parts.Write(buffer, type.Arguments[i], value[i]);
    }

    protected internal override object?[] Read(ReadOnlySpan<byte> bytes, CqlType type)
    {
        var reader = new WireReader(bytes);
        var parts = new object?[type.Arguments.Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = Parts.Read(ref reader, type.Arguments[i], Codecs.Natural(type.Arguments[i]));
        return parts;
    }
}

/// <summary>A tuple as one of .NET's, of up to seven parts.</summary>
internal sealed class ValueTupleCodec<T> : ValueCodec<T>
    where T : struct, ITuple
{
    private static readonly Type[] Types = typeof(T).GetGenericArguments();

    private static readonly bool[] HaveNull = Array.ConvertAll(
        Types, part => !part.IsValueType || Nullable.GetUnderlyingType(part) is not null);

    public override bool Takes(CqlType type)
    {
        if (type.Code != CqlTypeCode.Tuple || type.Arguments.Count != Types.Length) return false;
        return Types.Zip(type.Arguments).All(part => Codecs.Find(part.First)?.Takes(part.Second) == true);
    }

    protected internal override void Write(WireBuffer buffer, CqlType type, T value)
    {
        for (var i = 0; i < value.Length; i++) Parts.Write(buffer, type.Arguments[i], value[i]);
    }

    protected internal override T Read(ReadOnlySpan<byte> bytes, CqlType type)
    {
        var reader = new WireReader(bytes);
        var parts = new object?[Types.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Parts.Read(ref reader, type.Arguments[i], Types[i]);
            if (parts[i] is null && !HaveNull[i]) throw Null(Types[i], type.Arguments[i]);
        }

        return (T)Activator.CreateInstance(typeof(T), parts)!;
    }
}

/// <summary>A udt by the names of its fields, and a map from text to anything of one type.</summary>
internal sealed class UdtCodec : ValueCodec<Dictionary<string, object?>>
{
    private static readonly MapCodec<string, object?> Map = new();

    public override bool Takes(CqlType type) => type.Code == CqlTypeCode.Udt || Map.Takes(type);

    protected internal override void Write(WireBuffer buffer, CqlType type, Dictionary<string, object?> value)
    {
        if (type.Code == CqlTypeCode.Map)
        {
            Map.Write(buffer, type, value);
            return;
        }

        if (value.Keys.FirstOrDefault(name => !type.Fields.Contains(name)) is { } unknown)
            throw CqlErrors.TypeMismatch.With($"field {unknown} for {type}").AsCql();
        for (var i = 0; i < type.Fields.Count; i++)
            Parts.Write(buffer, type.Arguments[i], value.GetValueOrDefault(type.Fields[i]));
    }

    protected internal override Dictionary<string, object?> Read(ReadOnlySpan<byte> bytes, CqlType type)
    {
        if (type.Code == CqlTypeCode.Map) return Map.Read(bytes, type);
        var reader = new WireReader(bytes);
        var fields = new Dictionary<string, object?>(type.Fields.Count);
        for (var i = 0; i < type.Fields.Count; i++)
        {
            var wanted = Codecs.Natural(type.Arguments[i]);
            fields[type.Fields[i]] = Parts.Read(ref reader, type.Arguments[i], wanted);
        }

        return fields;
    }
}

/// <summary>Any value, read into the type that the README lists first.</summary>
internal sealed class ObjectCodec : ValueCodec<object>
{
    public override bool Takes(CqlType type) => type.Code is not (CqlTypeCode.Custom or CqlTypeCode.Duration);

    protected internal override bool TakesEmpty(CqlType type) => Natural(type).TakesEmpty(type);

    protected internal override void Write(WireBuffer buffer, CqlType type, object value) =>
        Codecs.For(value.GetType(), type).WriteContent(buffer, type, value);

    protected internal override object Read(ReadOnlySpan<byte> bytes, CqlType type) =>
        Natural(type).ReadObject(bytes, isNull: false, type)!;

    private static ValueCodec Natural(CqlType type) => Codecs.For(Codecs.Natural(type), type);
}
