using System.Buffers;
using System.Text.Json;
using Apache.Arrow;

namespace Millrace.ColdPath.Formats;

/// <summary>One JSON document: <c>{"columns":[...],"rows":[[...]],"truncated":false}</c>.</summary>
internal sealed class JsonFormat(IBufferWriter<byte> output) : ResultFormat
{
    private readonly Utf8JsonWriter _json = new(output, JsonOptions);

    public override string ContentType => "application/json";

    public override void Begin(Schema schema)
    {
        _json.WriteStartObject();
        _json.WriteStartArray("columns");
        foreach (var field in schema.FieldsList)
        {
            _json.WriteStartObject();
            _json.WriteString("name", field.Name);
            _json.WriteString("type", ArrowCell.TypeName(field.DataType));
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteStartArray("rows");
        _json.Flush();
    }

    public override void Write(RecordBatch batch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            _json.WriteStartArray();
            for (var column = 0; column < batch.ColumnCount; column++)
                ArrowCell.WriteJson(_json, batch.Column(column), row);
            _json.WriteEndArray();
        }

        _json.Flush();
    }

    public override void End(bool truncated)
    {
        _json.WriteEndArray();
        _json.WriteBoolean("truncated", truncated);
        _json.WriteEndObject();
        _json.Flush();
        _json.Dispose();
    }
}
