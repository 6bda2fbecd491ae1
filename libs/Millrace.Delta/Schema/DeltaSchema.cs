using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Millrace.Delta.Schema;

/// <summary>A table's columns, partition columns among them, in order.</summary>
public sealed record DeltaSchema(IReadOnlyList<DeltaColumn> Columns)
{
    private static readonly Dictionary<string, DeltaType> TypeOfName = new()
    {
        ["string"] = DeltaType.String,
        ["long"] = DeltaType.Long,
        ["integer"] = DeltaType.Integer,
        ["double"] = DeltaType.Double,
        ["boolean"] = DeltaType.Boolean,
        ["binary"] = DeltaType.Binary,
        ["date"] = DeltaType.Date,
        ["timestamp"] = DeltaType.Timestamp,
    };

    private static readonly Dictionary<DeltaType, string> NameOfType =
        TypeOfName.ToDictionary(pair => pair.Value, pair => pair.Key);

    public DeltaColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name == name);

    /// <summary>The schema as the protocol writes it, the text of <c>metaData.schemaString</c>.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", "struct");
            json.WriteStartArray("fields");
            foreach (var column in Columns) WriteField(json, column);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads a <c>schemaString</c>. DL-0003 when it has a type that we do not know.</summary>
    public static DeltaSchema Parse(string schemaString)
    {
        using var document = JsonDocument.Parse(schemaString);
        var columns = new List<DeltaColumn>();
        foreach (var field in document.RootElement.GetProperty("fields").EnumerateArray())
        {
            columns.Add(new DeltaColumn(
                field.GetProperty("name").GetString()!,
                TypeOf(field.GetProperty("type")),
                field.GetProperty("nullable").GetBoolean()));
        }

        return new DeltaSchema(columns);
    }

    private static void WriteField(Utf8JsonWriter json, DeltaColumn column)
    {
        json.WriteStartObject();
        json.WriteString("name", column.Name);
        if (column.Type == DeltaType.StringMap)
        {
            json.WriteStartObject("type");
            json.WriteString("type", "map");
            json.WriteString("keyType", "string");
            json.WriteString("valueType", "string");
            json.WriteBoolean("valueContainsNull", false);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("type", NameOfType[column.Type]);
        }

        json.WriteBoolean("nullable", column.Nullable);
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static DeltaType TypeOf(JsonElement type)
    {
        if (type.ValueKind == JsonValueKind.String && TypeOfName.TryGetValue(type.GetString()!, out var known))
            return known;
        if (type.ValueKind == JsonValueKind.Object && type.GetProperty("type").GetString() == "map"
            && type.GetProperty("keyType").ToString() == "string"
            && type.GetProperty("valueType").ToString() == "string") return DeltaType.StringMap;
        throw DeltaErrors.Unsupported.With(type.ToString(), "The column's type is not known.").AsException();
    }
}
