using System.Buffers;
using System.Text.Json;
using Apache.Arrow;

namespace Millrace.ColdPath.Formats;

/// <summary>One JSON object a row and line. Of columns that share a name, later ones get a number.</summary>
internal sealed class JsonLinesFormat(IBufferWriter<byte> output) : ResultFormat
{
    public const string MediaType = "application/x-ndjson";

    private readonly Utf8JsonWriter _json = new(output, JsonOptions);
    private JsonEncodedText[] _names = [];

    public override string ContentType => MediaType;

    public override void Begin(Schema schema)
    {
        var taken = new HashSet<string>();
        _names = [.. schema.FieldsList.Select(field => JsonEncodedText.Encode(Free(field.Name), JsonOptions.Encoder))];

        string Free(string name)
        {
            var free = name;
            for (var number = 2; !taken.Add(free); number++) free = $"{name}_{number}";
            return free;
        }
    }

    public override void Write(RecordBatch batch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            _json.WriteStartObject();
            for (var column = 0; column < batch.ColumnCount; column++)
            {
                _json.WritePropertyName(_names[column]);
                ArrowCell.WriteJson(_json, batch.Column(column), row);
            }

            _json.WriteEndObject();
            _json.Flush();
            output.Write("\n"u8);
            _json.Reset();
        }
    }

    public override void End(bool truncated) => _json.Dispose();
}
