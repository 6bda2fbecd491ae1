using Millrace.Saql.Decoding;
using Millrace.Saql.Json;

namespace Millrace.Saql.Files;

/// <summary>Files that are not JSON lines, as such.</summary>
public static class InputFormats
{
    /// <summary>The endings of names that <see cref="ToLines"/> knows.</summary>
    public static IReadOnlyList<string> Known { get; } = [".csv", ".cbor", ".avro"];

    /// <summary>A row a line; what cannot be read is an error SQ-0301.</summary>
    /// <param name="ending">The ending of the file's name, such as ".csv".</param>
    public static byte[] ToLines(ReadOnlySpan<byte> content, string ending)
    {
        byte[] json;
        try
        {
            json = ending switch
            {
                ".csv" => CsvBody.ToJson(content),
                ".cbor" => CborBody.ToJson(content),
                _ => AvroBody.ToJson(content),
            };
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException or KeyNotFoundException)
        {
            throw SaqlErrors.BadLine.With(wrong.Message).AsException(wrong);
        }

        var lines = new MemoryStream();
        var scanner = new JsonScanner(json, 0);
        if (!scanner.TrySkip((byte)'[')) return [.. json, (byte)'\n'];
        while (!scanner.AtEnd && scanner.Current != ']')
        {
            var start = scanner.At;
            scanner.TrySkipValue();
            lines.Write(json.AsSpan(start, scanner.At - start));
            lines.WriteByte((byte)'\n');
            scanner.TrySkip((byte)',');
        }

        return lines.ToArray();
    }
}
