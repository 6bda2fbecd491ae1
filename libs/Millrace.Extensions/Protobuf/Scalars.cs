using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Millrace.Extensions.Protobuf;

/// <summary>Values that are no message: read, their defaults, and as JSON.</summary>
internal static class Scalars
{
    private static readonly object True = true;
    private static readonly object False = false;

    public static WireFormat.WireType WireType(FieldType type) => type switch
    {
        FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => WireFormat.WireType.Fixed64,
        FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => WireFormat.WireType.Fixed32,
        FieldType.String or FieldType.Bytes or FieldType.Message => WireFormat.WireType.LengthDelimited,
        FieldType.Group => WireFormat.WireType.StartGroup,
        _ => WireFormat.WireType.Varint,
    };

    public static object Read(FieldDescriptor field, CodedInputStream input) => field.FieldType switch
    {
        FieldType.Double => input.ReadDouble(),
        FieldType.Float => input.ReadFloat(),
        FieldType.Int64 => input.ReadInt64(),
        FieldType.UInt64 => input.ReadUInt64(),
        FieldType.Int32 => (long)input.ReadInt32(),
        FieldType.Fixed64 => input.ReadFixed64(),
        FieldType.Fixed32 => (long)input.ReadFixed32(),
        FieldType.Bool => input.ReadBool() ? True : False,
        FieldType.String => input.ReadString(),
        FieldType.Bytes => input.ReadBytes(),
        FieldType.UInt32 => (long)input.ReadUInt32(),
        FieldType.SFixed32 => (long)input.ReadSFixed32(),
        FieldType.SFixed64 => input.ReadSFixed64(),
        FieldType.SInt32 => (long)input.ReadSInt32(),
        FieldType.SInt64 => input.ReadSInt64(),
        _ => (long)input.ReadEnum(),
    };

    public static object Default(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Double or FieldType.Float => 0.0,
        FieldType.Bool => false,
        FieldType.String => "",
        FieldType.Bytes => ByteString.Empty,
        FieldType.Enum => (long)(field.EnumType.Values.Count > 0 ? field.EnumType.Values[0].Number : 0),
        _ => 0L,
    };

    public static void Write(FieldDescriptor field, object value, Utf8JsonWriter json)
    {
        switch (value)
        {
            case long number when field.FieldType == FieldType.Enum:
                if (field.EnumType.FindValueByNumber((int)number) is { } named) json.WriteStringValue(named.Name);
                else json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case bool bit:
                json.WriteBooleanValue(bit);
                break;
            case ByteString bytes:
                json.WriteBase64StringValue(bytes.Span);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case float number:
                // The shortest text that is this float: 20.1, not 20.100000381469727.
                WriteNumber(double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : null, json);
                break;
            default:
                var wide = (double)value;
                WriteNumber(double.IsFinite(wide) ? wide.ToString("R", CultureInfo.InvariantCulture) : null, json);
                break;
        }
    }

    /// <summary>With a point, so that a float stays one; what is no number is null.</summary>
    private static void WriteNumber(string? text, Utf8JsonWriter json)
    {
        if (text is null) json.WriteNullValue();
        else json.WriteRawValue(text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0");
    }
}
