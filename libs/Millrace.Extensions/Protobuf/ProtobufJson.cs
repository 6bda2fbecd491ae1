using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.Reflection;
using Millrace.Saql.Decoding;

namespace Millrace.Extensions.Protobuf;

/// <summary>
/// A message as JSON. Fields have the names of the .proto file; numbers are numbers, whatever their width; enums are
/// their names, bytes base64, a Timestamp its ISO 8601 text. A field without presence that the sender left out is its
/// default, for a sender leaves out zeros; one with presence is left out.
/// </summary>
internal static class ProtobufJson
{
    private const int DepthMax = 64;

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Of(MessageDescriptor message, ReadOnlyMemory<byte> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            Write(MessageReader.Read(message, body.ToArray()), json, 0);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(MessageFields message, Utf8JsonWriter json, int depth)
    {
        if (depth > DepthMax) throw new FormatException($"The message nests more than {DepthMax} levels deep.");
        // An element of two bytes says all the defaults of its message.
        DecodedBody.Check(json.BytesCommitted + json.BytesPending);
        if (WellKnown.TryWrite(message, json, value => WriteMessage(value, json, depth + 1))) return;
        json.WriteStartObject();
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var values = message.Of(field);
            if (values.Count == 0 && field.HasPresence) continue;
            json.WritePropertyName(field.Name);
            if (field.IsMap) WriteMap(field, values, json, depth);
            else if (field.IsRepeated) WriteList(field, values, json, depth);
            else WriteValue(field, values.Count == 0 ? null : values[^1], json, depth);
        }

        json.WriteEndObject();
    }

    private static void WriteMessage(object value, Utf8JsonWriter json, int depth) =>
        Write((MessageFields)value, json, depth);

    private static void WriteList(FieldDescriptor field, IReadOnlyList<object> values, Utf8JsonWriter json, int depth)
    {
        json.WriteStartArray();
        foreach (var value in values)
        {
            DecodedBody.Check(json.BytesCommitted + json.BytesPending);
            WriteValue(field, value, json, depth);
        }

        json.WriteEndArray();
    }

    private static void WriteMap(FieldDescriptor field, IReadOnlyList<object> entries, Utf8JsonWriter json, int depth)
    {
        var (keyField, valueField) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
        json.WriteStartObject();
        // The last entry of a key counts.
        foreach (var same in entries.Cast<MessageFields>().GroupBy(entry => KeyText(keyField, entry.Last(keyField))))
        {
            json.WritePropertyName(same.Key);
            WriteValue(valueField, same.Last().Last(valueField), json, depth);
        }

        json.WriteEndObject();
    }

    private static string KeyText(FieldDescriptor field, object? key) => (key ?? Scalars.Default(field)) switch
    {
        bool bit => bit ? "true" : "false",
        string text => text,
        var number => FormattableString.Invariant($"{number}"),
    };

    /// <param name="value">Null: the field was left out.</param>
    private static void WriteValue(FieldDescriptor field, object? value, Utf8JsonWriter json, int depth)
    {
        if (field.FieldType is FieldType.Message or FieldType.Group)
        {
            Write(value as MessageFields ?? MessageReader.Read(field.MessageType, []), json, depth + 1);
            return;
        }

        Scalars.Write(field, value ?? Scalars.Default(field), json);
    }
}
