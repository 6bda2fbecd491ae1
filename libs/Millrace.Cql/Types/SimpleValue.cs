using System.Net;
using System.Numerics;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

/// <summary>Values of statements that are not prepared: the CQL type is guessed from the .NET type.</summary>
internal static class SimpleValue
{
    private static readonly Dictionary<Type, CqlType> Guesses = new()
    {
        [typeof(string)] = new CqlType(CqlTypeCode.Text),
        [typeof(byte[])] = new CqlType(CqlTypeCode.Blob),
        [typeof(ReadOnlyMemory<byte>)] = new CqlType(CqlTypeCode.Blob),
        [typeof(bool)] = new CqlType(CqlTypeCode.Boolean),
        [typeof(sbyte)] = new CqlType(CqlTypeCode.Tinyint),
        [typeof(short)] = new CqlType(CqlTypeCode.Smallint),
        [typeof(int)] = new CqlType(CqlTypeCode.Int),
        [typeof(long)] = new CqlType(CqlTypeCode.Bigint),
        [typeof(float)] = new CqlType(CqlTypeCode.Float),
        [typeof(double)] = new CqlType(CqlTypeCode.Double),
        [typeof(decimal)] = new CqlType(CqlTypeCode.Decimal),
        [typeof(CqlDecimal)] = new CqlType(CqlTypeCode.Decimal),
        [typeof(BigInteger)] = new CqlType(CqlTypeCode.Varint),
        [typeof(Guid)] = new CqlType(CqlTypeCode.Uuid),
        [typeof(DateTimeOffset)] = new CqlType(CqlTypeCode.Timestamp),
        [typeof(DateTime)] = new CqlType(CqlTypeCode.Timestamp),
        [typeof(DateOnly)] = new CqlType(CqlTypeCode.Date),
        [typeof(TimeOnly)] = new CqlType(CqlTypeCode.Time),
        [typeof(IPAddress)] = new CqlType(CqlTypeCode.Inet),
    };

    public static void Write(WireBuffer buffer, object? value)
    {
        if (value is null) buffer.Int(-1);
        else Parts.Write(buffer, Guess(Codecs.Plain(value.GetType())), value);
    }

    private static CqlType Guess(Type type)
    {
        if (Guesses.TryGetValue(type, out var guess)) return guess;
        if (type.IsArray) return new CqlType(CqlTypeCode.List, Guess(type.GetElementType()!));
        var arguments = type.IsGenericType ? type.GetGenericArguments().Select(Guess).ToArray() : [];
        var open = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        if (open == typeof(List<>)) return new CqlType(CqlTypeCode.List, arguments);
        if (open == typeof(HashSet<>)) return new CqlType(CqlTypeCode.Set, arguments);
        if (open == typeof(Dictionary<,>)) return new CqlType(CqlTypeCode.Map, arguments);
        throw CqlErrors.TypeMismatch.With(type, "Prepare a statement with such a value.").AsCql();
    }
}
