using System.Text.Json;
using System.Text.RegularExpressions;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>
/// The body of an example's input line that is no JSON object: <c>[...]</c>, or a content type and then the body as
/// text in JSON's quotes or as bytes, <c>x'A1 61'</c>; behind the type its encoding, <c>;gzip</c>, or its message,
/// <c>;message=fleet.Reading</c>. It travels as a line of its own form to where records are made.
/// </summary>
internal static partial class ExampleBody
{
    private const char Mark = '!';

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Null for a JSON object, which is a line of a file.</summary>
    public static string? LineOf(string time, string device, string body)
    {
        var match = Typed().Match(body);
        if (!match.Success && !body.StartsWith('[')) return null;
        var bytes = !match.Success ? JsonSerializer.SerializeToUtf8Bytes(JsonElement.Parse(body))
            : match.Groups["hex"].Success ? Convert.FromHexString(match.Groups["hex"].Value.Replace(" ", ""))
            : System.Text.Encoding.UTF8.GetBytes(JsonSerializer.Deserialize<string>(match.Groups["text"].Value)!);
        var type = match.Success ? match.Groups["type"].Value : "application/json";
        return $"{Mark}{time} {device} {type} {Convert.ToBase64String(bytes)}";
    }

    /// <summary>False when the line is one of a file.</summary>
    public static bool TryAppend(string line, RecordBatchBuilder records)
    {
        if (!line.StartsWith(Mark)) return false;
        var parts = line[1..].Split(' ');
        var at = Start + TimeSpan.Parse($"00:{parts[0]}");
        records.Begin(at.ToUnixTimeMilliseconds(), System.Text.Encoding.UTF8.GetBytes(parts[1]));
        var type = parts[2].Split(';');
        var isMessage = type.Length > 1 && type[1].Contains('=');
        records.AddHeader(
            TelemetryHeaders.ContentType, System.Text.Encoding.UTF8.GetBytes(isMessage ? parts[2] : type[0]));
        if (type.Length > 1 && !isMessage)
            records.AddHeader(TelemetryHeaders.ContentEncoding, System.Text.Encoding.UTF8.GetBytes(type[1]));
        records.End(Convert.FromBase64String(parts[3]));
        return true;
    }

    [GeneratedRegex("""^(?<type>[a-z]+/[a-z.+-]+(;[a-z]+(=\S+)?)?) (?<text>"[^']*"|x'(?<hex>[0-9A-Fa-f ]*)')$""")]
    private static partial Regex Typed();
}
