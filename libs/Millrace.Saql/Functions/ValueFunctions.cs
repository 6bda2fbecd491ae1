using System.Text;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Functions over values of any type: conversions, arrays and records.</summary>
internal static class ValueFunctions
{
    private static readonly byte[][] KindNames =
        [.. Enum.GetValues<ValueKind>().Select(kind => Encoding.UTF8.GetBytes(kind.Name()))];

    /// <summary>What APPLY makes rows of.</summary>
    public static Function ArrayElements { get; } =
        new("GETARRAYELEMENTS", [Parameter.Array], ValueKind.Array, static (_, values) => values[0]);

    /// <summary>What APPLY makes rows of.</summary>
    public static Function RecordProperties { get; } =
        new("GETRECORDPROPERTIES", [Parameter.Record], ValueKind.Record, static (_, values) => values[0]);

    public static IEnumerable<Function> All { get; } =
    [
        new("GETTYPE", [Parameter.Any], ValueKind.Text, static (_, values) =>
            Value.OfText(KindNames[(int)values[0].Kind]), TakesNull: true),
        new("GETARRAYLENGTH", [Parameter.Array], ValueKind.BigInt, static (_, values) =>
            Value.Of((long)JsonLookup.CountElements(values[0]))),
        new("GETARRAYELEMENT", [Parameter.Array, Parameter.Integer], null, static (frame, values) =>
            frame.Checked(JsonLookup.Element(values[0], values[1].Integer, frame.Arena))),
        new("GETRECORDPROPERTYVALUE", [Parameter.Record, Parameter.Text], null, static (frame, values) =>
            frame.Checked(JsonLookup.Member(values[0], values[1].Utf8, frame.Arena))),
        new("JSON_PARSE", [Parameter.Any], ValueKind.Record, Parse),
        new("ISNUMERIC", [Parameter.Any], ValueKind.BigInt, static (_, values) =>
            Value.Of(!values[0].IsNull && Conversion.TryNumber(values[0], out var _) ? 1L : 0L), TakesNull: true),
    ];

    /// <summary>Never fails: text that is no JSON object gives null.</summary>
    private static Value Parse(Engine.Frame frame, ReadOnlySpan<Value> values)
    {
        if (values[0].Kind != ValueKind.Text) return Value.Null;
        var text = values[0];
        var scanner = new JsonScanner(text.Bytes.AsSpan(0, text.Start + text.Length), text.Start);
        scanner.SkipBlanks();
        var start = scanner.At;
        if (scanner.Current != '{' || !scanner.TrySkipValue()) return Value.Null;
        var end = scanner.At;
        scanner.SkipBlanks();
        return scanner.AtEnd ? frame.Arena.Add(text.Bytes.AsSpan(start, end - start), ValueKind.Record) : Value.Null;
    }
}
