using System.Buffers;
using System.Text;
using Apache.Arrow;

namespace Millrace.ColdPath.Formats;

/// <summary>
/// Comma-separated values by RFC 4180, with a first line of names. Null is an empty field, empty text is "".
/// </summary>
internal sealed class CsvFormat(IBufferWriter<byte> output) : ResultFormat
{
    private static readonly SearchValues<char> Special = SearchValues.Create(",\"\r\n");

    private readonly StringBuilder _line = new();

    public override string ContentType => "text/csv; charset=utf-8";

    public override void Begin(Schema schema)
    {
        foreach (var field in schema.FieldsList) Append(field.Name);
        EndLine();
    }

    public override void Write(RecordBatch batch, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < batch.ColumnCount; column++)
            {
                var array = batch.Column(column);
                if (array.IsNull(row)) _line.Append(',');
                else Append(ArrowCell.Text(array, row));
            }

            EndLine();
        }
    }

    public override void End(bool truncated)
    {
        // A line that says so would be read as a row.
    }

    private void Append(string text)
    {
        if (text.Length > 0 && !text.AsSpan().ContainsAny(Special)) _line.Append(text);
        else _line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        _line.Append(',');
    }

    private void EndLine()
    {
        if (_line.Length > 0) _line.Length--;
        _line.Append("\r\n");
        foreach (var chunk in _line.GetChunks()) Encoding.UTF8.GetBytes(chunk.Span, output);
        _line.Clear();
    }
}
