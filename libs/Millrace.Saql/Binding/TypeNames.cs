using Millrace.Saql.Parsing;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>Data types as written.</summary>
internal static class TypeNames
{
    /// <summary>Null (and told) when there is no such type.</summary>
    public static ValueKind? Find(string name, TextSpan place, Diagnostics diagnostics)
    {
        ValueKind? found = name.ToUpperInvariant() switch
        {
            "BIGINT" => ValueKind.BigInt,
            "FLOAT" => ValueKind.Float,
            "NVARCHAR" => ValueKind.Text,
            "DATETIME" => ValueKind.DateTime,
            "BIT" => ValueKind.Bit,
            "RECORD" => ValueKind.Record,
            "ARRAY" => ValueKind.Array,
            _ => null,
        };
        if (found is not null || name.Length == 0) return found;
        var near = name.ToUpperInvariant() switch
        {
            "INT" or "INTEGER" or "SMALLINT" or "LONG" => " Did you mean bigint?",
            "VARCHAR" or "STRING" or "TEXT" or "CHAR" => " Did you mean nvarchar(max)?",
            "DOUBLE" or "REAL" or "DECIMAL" or "NUMERIC" => " Did you mean float?",
            "BOOL" or "BOOLEAN" => " Did you mean bit?",
            "DATE" or "DATETIME2" or "TIMESTAMP" => " Did you mean datetime?",
            _ => "",
        };
        diagnostics.Add(SaqlErrors.UnknownWord, place,
            $"Found '{name}'; expected bigint, float, nvarchar(max), datetime, bit, record or array.{near}");
        return null;
    }
}
