namespace Millrace.Saql.Values;

/// <summary>The data types of the language. The type belongs to the value, not to the column.</summary>
internal enum ValueKind : byte
{
    Null,
    Bit,
    BigInt,
    Float,
    DateTime,
    Text,
    Record,
    Array,
}

internal static class ValueKinds
{
    /// <summary>The name that a rule author writes.</summary>
    public static string Name(this ValueKind kind) => kind switch
    {
        ValueKind.Bit => "bit",
        ValueKind.BigInt => "bigint",
        ValueKind.Float => "float",
        ValueKind.DateTime => "datetime",
        ValueKind.Text => "nvarchar(max)",
        ValueKind.Record => "record",
        ValueKind.Array => "array",
        _ => "null",
    };

    public static bool IsNumber(this ValueKind kind) => kind is ValueKind.BigInt or ValueKind.Float;
}
