using System.Collections.Concurrent;
using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Millrace.Cql.Types;

/// <summary>Which codec a .NET type has, and which .NET type a CQL type has when nobody says.</summary>
internal static class Codecs
{
    private static readonly ConcurrentDictionary<Type, ValueCodec?> Known = new();

    // Those of one argument: what a list or a set can be read into and written from.
    private static readonly Dictionary<Type, Type> Sequences = new()
    {
        [typeof(List<>)] = typeof(ListCodec<>),
        [typeof(IReadOnlyList<>)] = typeof(ReadOnlyListCodec<>),
        [typeof(HashSet<>)] = typeof(SetCodec<>),
    };

    public static ValueCodec? Find(Type type) => Known.GetOrAdd(type, Make);

    public static ValueCodec For(Type type, CqlType cqlType) =>
        Find(type) is { } codec && codec.Takes(cqlType) ? codec : throw Refused(type, cqlType);

    /// <summary>The .NET type that a value has when it is read as an object.</summary>
    public static Type Natural(CqlType type) => type.Code switch
    {
        CqlTypeCode.Ascii or CqlTypeCode.Text => typeof(string),
        CqlTypeCode.Bigint or CqlTypeCode.Counter => typeof(long),
        CqlTypeCode.Blob => typeof(byte[]),
        CqlTypeCode.Boolean => typeof(bool),
        CqlTypeCode.Decimal => typeof(CqlDecimal),
        CqlTypeCode.Double => typeof(double),
        CqlTypeCode.Float => typeof(float),
        CqlTypeCode.Int => typeof(int),
        CqlTypeCode.Timestamp => typeof(DateTimeOffset),
        CqlTypeCode.Uuid or CqlTypeCode.Timeuuid => typeof(Guid),
        CqlTypeCode.Varint => typeof(BigInteger),
        CqlTypeCode.Inet => typeof(IPAddress),
        CqlTypeCode.Date => typeof(DateOnly),
        CqlTypeCode.Time => typeof(TimeOnly),
        CqlTypeCode.Smallint => typeof(short),
        CqlTypeCode.Tinyint => typeof(sbyte),
        CqlTypeCode.List => typeof(List<>).MakeGenericType(Natural(type.Arguments[0])),
        CqlTypeCode.Set => typeof(HashSet<>).MakeGenericType(Natural(type.Arguments[0])),
        CqlTypeCode.Map => typeof(Dictionary<,>).MakeGenericType(
            Natural(type.Arguments[0]), Natural(type.Arguments[1])),
        CqlTypeCode.Tuple => typeof(object?[]),
        CqlTypeCode.Udt => typeof(Dictionary<string, object?>),
        _ => throw CqlErrors.TypeUnsupported.With(type).AsCql(),
    };

    public static CqlException Refused(Type type, CqlType cqlType) =>
        cqlType.Code is CqlTypeCode.Custom or CqlTypeCode.Duration
            ? CqlErrors.TypeUnsupported.With(cqlType).AsCql()
            : CqlErrors.TypeMismatch.With($"{type} for {cqlType}").AsCql();

    /// <summary>The type by which a value is known: some of .NET's own are of a class below it.</summary>
    public static Type Plain(Type type) => type.IsAssignableTo(typeof(IPAddress)) ? typeof(IPAddress) : type;

    private static ValueCodec? Make(Type type)
    {
        type = Plain(type);
        if (ScalarCodecs.All.TryGetValue(type, out var scalar)) return scalar;
        if (type == typeof(object)) return new ObjectCodec();
        if (type == typeof(object[])) return new TupleCodec();
        if (type == typeof(Dictionary<string, object>)) return new UdtCodec();
        if (type.IsArray) return Of(typeof(ArrayCodec<>), type.GetElementType()!);
        if (!type.IsGenericType) return null;
        var arguments = type.GetGenericArguments();
        var open = type.GetGenericTypeDefinition();
        if (Sequences.TryGetValue(open, out var sequence)) return Of(sequence, arguments);
        if (open == typeof(Nullable<>)) return Of(typeof(NullableCodec<>), arguments);
        if (open == typeof(Dictionary<,>)) return Of(typeof(MapCodec<,>), arguments);
        return type.IsAssignableTo(typeof(ITuple)) && type.IsValueType ? Of(typeof(ValueTupleCodec<>), type) : null;
    }

    private static ValueCodec Of(Type codec, params Type[] arguments) =>
        (ValueCodec)Activator.CreateInstance(codec.MakeGenericType(arguments))!;
}
