using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Arrays;
using Apache.Arrow.Types;

namespace Millrace.ColdPath.Formats;

/// <summary>Values of Arrow arrays as JSON and as text: times in ISO 8601 UTC, bytes in base64.</summary>
internal static class ArrowCell
{
    /// <summary>The type's name in answers.</summary>
    public static string TypeName(IArrowType type) => type switch
    {
        BooleanType => "bool",
        Int8Type or Int16Type or Int32Type or Int64Type => "long",
        UInt8Type or UInt16Type or UInt32Type or UInt64Type => "long",
        FloatType or DoubleType or HalfFloatType => "double",
        Decimal32Type or Decimal64Type or Decimal128Type or Decimal256Type => "decimal",
        Date32Type or Date64Type => "date",
        TimestampType => "timestamp",
        BinaryType or LargeBinaryType or BinaryViewType or FixedSizeBinaryType => "binary",
        ListType or LargeListType or FixedSizeListType or StructType or MapType => "object",
        DictionaryType dictionary => TypeName(dictionary.ValueType),
        _ => "string",
    };

    public static void WriteJson(Utf8JsonWriter json, IArrowArray array, int row)
    {
        if (array.IsNull(row))
        {
            json.WriteNullValue();
            return;
        }

        switch (array)
        {
            case BooleanArray booleans: json.WriteBooleanValue(booleans.GetValue(row)!.Value); break;
            case Int8Array n: json.WriteNumberValue(n.Values[row]); break;
            case Int16Array n: json.WriteNumberValue(n.Values[row]); break;
            case Int32Array n: json.WriteNumberValue(n.Values[row]); break;
            case Int64Array n: json.WriteNumberValue(n.Values[row]); break;
            case UInt8Array n: json.WriteNumberValue(n.Values[row]); break;
            case UInt16Array n: json.WriteNumberValue(n.Values[row]); break;
            case UInt32Array n: json.WriteNumberValue(n.Values[row]); break;
            case UInt64Array n: json.WriteNumberValue(n.Values[row]); break;
            case FloatArray n: WriteDouble(json, n.Values[row]); break;
            case DoubleArray n: WriteDouble(json, n.Values[row]); break;
            case Decimal128Array n: json.WriteRawValue(DecimalText(n, row)); break;
            case MapArray map: WriteMap(json, map, row); break;
            case ListArray list: WriteList(json, list, row); break;
            case StructArray fields: WriteStruct(json, fields, row); break;
            case DictionaryArray dictionary: WriteJson(json, dictionary.Dictionary, IndexIn(dictionary, row)); break;
            default: json.WriteStringValue(Text(array, row)); break;
        }
    }

    /// <summary>The value as text; null is the empty text, and what has parts is JSON.</summary>
    public static string Text(IArrowArray array, int row)
    {
        if (array.IsNull(row)) return "";
        return array switch
        {
            StringArray text => text.GetString(row),
            LargeStringArray text => text.GetString(row),
            StringViewArray text => text.GetString(row),
            BinaryArray bytes => Convert.ToBase64String(bytes.GetBytes(row)),
            LargeBinaryArray bytes => Convert.ToBase64String(bytes.GetBytes(row)),
            BinaryViewArray bytes => Convert.ToBase64String(bytes.GetBytes(row)),
            Decimal128Array n => DecimalText(n, row),
            FixedSizeBinaryArray bytes => Convert.ToBase64String(bytes.GetBytes(row)),
            TimestampArray times => ArrowTime.Moment(times.Values[row], ((TimestampType)times.Data.DataType).Unit),
            Date32Array days => ArrowTime.Date(days.Values[row]),
            Time64Array times => ArrowTime.Clock(times.Values[row] * TimeSpan.TicksPerMicrosecond),
            MonthDayNanosecondIntervalArray spans => IntervalText(spans.Values[row]),
            _ => JsonText(array, row),
        };
    }

    private static string JsonText(IArrowArray array, int row)
    {
        // An array that neither knows would go to and fro between the two for ever.
        if (TypeName(array.Data.DataType) == "string" && array is not DictionaryArray)
            return $"({array.Data.DataType.Name})";
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, ResultFormat.JsonOptions)) WriteJson(json, array, row);
        var text = System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
        return text.StartsWith('"') ? text.Trim('"') : text;
    }

    /// <summary>From the bytes: a 128-bit integer has up to 39 digits, one more than .NET's widest decimal.</summary>
    private static string DecimalText(Decimal128Array decimals, int row)
    {
        var type = (Decimal128Type)decimals.Data.DataType;
        var unscaled = BinaryPrimitives.ReadInt128LittleEndian(decimals.ValueBuffer.Span.Slice(
            (decimals.Offset + row) * type.ByteWidth, type.ByteWidth));
        if (type.Scale <= 0) return unscaled.ToString(CultureInfo.InvariantCulture);
        var digits = Int128.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(type.Scale + 1, '0');
        return $"{(unscaled < 0 ? "-" : "")}{digits[..^type.Scale]}.{digits[^type.Scale..]}";
    }

    private static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>ISO 8601, such as P1DT2H.</summary>
    private static string IntervalText(Apache.Arrow.Scalars.MonthDayNanosecondInterval span)
    {
        var rest = System.Xml.XmlConvert.ToString(TimeSpan.FromTicks(span.Nanoseconds / TimeSpan.NanosecondsPerTick));
        var time = rest.Contains('T', StringComparison.Ordinal) && rest.StartsWith("PT", StringComparison.Ordinal)
            ? rest[1..]
            : "T0S";
        return $"P{span.Months}M{span.Days}D{time}";
    }

    private static void WriteMap(Utf8JsonWriter json, MapArray map, int row)
    {
        json.WriteStartObject();
        for (var i = map.ValueOffsets[row]; i < map.ValueOffsets[row + 1]; i++)
        {
            json.WritePropertyName(Text(map.Keys, i));
            WriteJson(json, map.Values, i);
        }

        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, ListArray list, int row)
    {
        json.WriteStartArray();
        for (var i = list.ValueOffsets[row]; i < list.ValueOffsets[row + 1]; i++) WriteJson(json, list.Values, i);
        json.WriteEndArray();
    }

    private static void WriteStruct(Utf8JsonWriter json, StructArray fields, int row)
    {
        json.WriteStartObject();
        var type = (StructType)fields.Data.DataType;
        for (var i = 0; i < fields.Fields.Count; i++)
        {
            json.WritePropertyName(type.Fields[i].Name);
            WriteJson(json, fields.Fields[i], row);
        }

        json.WriteEndObject();
    }

    private static int IndexIn(DictionaryArray dictionary, int row) => dictionary.Indices switch
    {
        UInt8Array indices => indices.Values[row],
        UInt16Array indices => indices.Values[row],
        UInt32Array indices => (int)indices.Values[row],
        Int8Array indices => indices.Values[row],
        Int16Array indices => indices.Values[row],
        Int32Array indices => indices.Values[row],
        _ => throw new NotSupportedException($"Dictionary indices {dictionary.Indices.Data.DataType.Name}."),
    };
}
