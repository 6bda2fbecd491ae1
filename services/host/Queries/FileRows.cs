using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql;

namespace Millrace.Queries;

/// <summary>Rows of a run into one file an output, and what failed into dead-letter.jsonl or an error.</summary>
internal sealed class FileRows : IQueryRowSink, IDisposable
{
    private readonly FileStream[] _files;
    private readonly string _deadLetterFile;
    private readonly bool _stopOnError;
    private readonly Func<TopicPartition, long, (long Number, ReadOnlyMemory<byte> Line)> _lineOf;
    private FileStream? _deadLetters;

    public FileRows(
        QueryPlan plan, string folder, bool stopOnError,
        Func<TopicPartition, long, (long Number, ReadOnlyMemory<byte> Line)> lineOf)
    {
        (_stopOnError, _lineOf) = (stopOnError, lineOf);
        _files = [.. plan.Outputs.Select(name => File.Create(Path.Combine(folder, $"{name}.jsonl"), 1 << 16))];
        _deadLetterFile = Path.Combine(folder, "dead-letter.jsonl");
        File.Delete(_deadLetterFile);
    }

    public long Rows { get; private set; }

    public long FailedRows { get; private set; }

    public long DroppedEvents { get; private set; }

    public void Row(in QueryRow row)
    {
        var file = _files[row.Output];
        file.Write(row.Json);
        file.WriteByte((byte)'\n');
        Rows++;
    }

    public void Failed(in QueryRowFailure failure)
    {
        var (number, line) = _lineOf(failure.Source, failure.Offset);
        LineFailed(failure.Source.Topic, number, failure.Code, failure.Reason, line.Span);
    }

    public void Dropped(TopicPartition source, long offset, int element, bool isLate) => DroppedEvents++;

    /// <summary>A line, or a row of it, that failed: an error CL-0005 with its number, or a dead letter.</summary>
    public void LineFailed(string input, long number, string code, string reason, ReadOnlySpan<byte> line)
    {
        FailedRows++;
        if (_stopOnError)
        {
            Finish();
            throw HostErrors.LineFailed.With($"{input} line {number}", $"{code} {reason}").AsException();
        }

        _deadLetters ??= File.Create(_deadLetterFile);
        using (var json = new Utf8JsonWriter(_deadLetters, new JsonWriterOptions
        {
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
        {
            json.WriteStartObject();
            json.WriteString("input", input);
            json.WriteNumber("line", number);
            json.WriteString("code", code);
            json.WriteString("reason", reason);
            json.WriteString("text", Encoding.UTF8.GetString(line));
            json.WriteEndObject();
        }

        _deadLetters.WriteByte((byte)'\n');
    }

    public void Finish()
    {
        foreach (var file in _files) file.Flush();
        _deadLetters?.Flush();
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _deadLetters?.Dispose();
    }
}
