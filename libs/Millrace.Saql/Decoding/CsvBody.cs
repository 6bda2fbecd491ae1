using System.Net.Http.Headers;
using System.Text;
using Millrace.Saql.Extensions;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Decoding;

/// <summary>
/// CSV as RFC 4180 has it, with a head line and a separator that may be another: an array of objects. A field that is a
/// JSON number, true or false is that, an empty one without quotes is null, any other is text.
/// </summary>
internal static class CsvBody
{
    /// <summary>The most columns: a field takes many times the byte of memory that it may be in the text.</summary>
    private const int ColumnsMax = 10_000;

    /// <param name="bytesMax">The most that it may become: each line repeats the names of the head.</param>
    public static byte[] ToJson(ReadOnlySpan<byte> csv, long bytesMax, byte separator = (byte)',')
    {
        csv = ByteOrderMark.Without(csv);
        var at = 0;
        var names = Line(csv, separator, ColumnsMax, ref at)
            ?? throw new FormatException($"The head has more than {ColumnsMax} columns.");
        var tokens = names.Select(name => JsonRowWriter.NameToken(Encoding.UTF8.GetString(name.Text))).ToArray();
        var writer = new JsonRowWriter();
        writer.BeginArray();
        while (at < csv.Length)
        {
            var fields = Line(csv, separator, names.Count, ref at)
                ?? throw new FormatException($"A line has more fields than the head, which has {names.Count}.");
            if (fields is [{ Text.Length: 0, IsQuoted: false }]) continue;
            writer.BeginElement();
            for (var i = 0; i < fields.Count; i++)
            {
                writer.Name(tokens[i]);
                writer.Value(ValueOf(fields[i]));
                DecodedBody.Check(writer.Written.Length, bytesMax);
            }

            writer.End();
        }

        writer.EndArray();
        return writer.Written.ToArray();
    }

    /// <summary>
    /// What separates the fields by the content type's parameter "delimiter": a character, or its name. That of
    /// text/tab-separated-values is a tab.
    /// </summary>
    public static byte SeparatorOf(string contentType)
    {
        const string Parameter = "delimiter";
        if (!contentType.Contains(Parameter, StringComparison.OrdinalIgnoreCase))
        {
            var hasTabs = BodyDecoder.Tsv.Equals(
                QueryExtensions.MediaTypeOf(contentType), StringComparison.OrdinalIgnoreCase);
            return (byte)(hasTabs ? '\t' : ',');
        }

        MediaTypeHeaderValue.TryParse(contentType, out var type);
        var given = type?.Parameters.FirstOrDefault(
            one => one.Name.Equals(Parameter, StringComparison.OrdinalIgnoreCase))?.Value;
        // As it stands in a quoted string: a tab may be escaped there.
        return given?.Trim('"').Replace("\\", "", StringComparison.Ordinal).ToLowerInvariant() switch
        {
            "comma" => (byte)',',
            "semicolon" => (byte)';',
            "tab" or "t" or "\t" => (byte)'\t',
            "space" => (byte)' ',
            "pipe" => (byte)'|',
            [var one] when char.IsAscii(one) && (char.IsPunctuation(one) || char.IsSymbol(one)) => (byte)one,
            _ => throw new FormatException(
                $"The delimiter of {contentType} is none of comma, semicolon, tab, space and pipe, and no one sign."),
        };
    }

    private static Value ValueOf((byte[] Text, bool IsQuoted) field)
    {
        if (field.IsQuoted) return Value.OfText(field.Text);
        ReadOnlySpan<byte> text = field.Text.AsSpan().Trim((byte)' ');
        if (text.IsEmpty) return Value.Null;
        if (text.SequenceEqual("true"u8) || text.SequenceEqual("false"u8)) return Value.Of(text[0] == 't');
        return NumberText.TryParse(text, out var number) == text.Length ? number : Value.OfText(field.Text);
    }

    /// <summary>The fields of the next line; null when they are more than the most.</summary>
    private static List<(byte[] Text, bool IsQuoted)>? Line(
        ReadOnlySpan<byte> csv, byte separator, int fieldsMax, ref int at)
    {
        var fields = new List<(byte[], bool)>();
        while (true)
        {
            if (fields.Count == fieldsMax) return null;
            fields.Add(Field(csv, separator, ref at));
            if (at < csv.Length && csv[at] == separator)
            {
                at++;
                continue;
            }

            if (at < csv.Length && csv[at] == '\r') at++;
            if (at < csv.Length && csv[at] == '\n') at++;
            else if (at < csv.Length) throw new FormatException("A quoted field of the CSV goes on behind its quote.");
            return fields;
        }
    }

    private static (byte[] Text, bool IsQuoted) Field(ReadOnlySpan<byte> csv, byte separator, ref int at)
    {
        if (at >= csv.Length || csv[at] != '"')
        {
            var length = csv[at..].IndexOfAny(separator, (byte)'\r', (byte)'\n');
            var end = length < 0 ? csv.Length : at + length;
            var plain = csv[at..end].ToArray();
            at = end;
            return (plain, false);
        }

        var text = new List<byte>();
        for (at++; at < csv.Length; at++)
        {
            if (csv[at] != '"') text.Add(csv[at]);
            else if (at + 1 < csv.Length && csv[at + 1] == '"') text.Add(csv[at++]);
            else
            {
                at++;
                return ([.. text], true);
            }
        }

        throw new FormatException("A quoted field of the CSV does not end.");
    }
}
