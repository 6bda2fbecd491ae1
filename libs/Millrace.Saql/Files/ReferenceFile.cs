using System.Text.Unicode;
using Millrace.Saql.Decoding;
using Millrace.Saql.Json;

namespace Millrace.Saql.Files;

/// <summary>
/// Reference data in a file: a JSON array of objects, or one object a line; CSV with a head line when its name ends in
/// .csv or, with tabs, .tsv. What ends in .gz is unpacked first.
/// </summary>
public static class ReferenceFile
{
    /// <summary>
    /// The entries as <see cref="QueryEngine.SetReference"/> takes them; what cannot be read is an error SQ-0303.
    /// </summary>
    /// <param name="name">The file's, whose ending says what it is.</param>
    /// <param name="bytesMax">The most that a packed file, or the JSON of a CSV, may become.</param>
    public static IReadOnlyList<byte[]> Entries(ReadOnlySpan<byte> content, string name, long bytesMax = int.MaxValue)
    {
        try
        {
            var isPacked = HasEnding(name, ".gz");
            var plain = isPacked ? PackedBody.Unpack(content.ToArray(), PackedBody.Gzip, bytesMax) : content;
            var ending = Path.GetExtension(isPacked ? name[..^3] : name).ToLowerInvariant();
            return Cut(ending switch
            {
                ".csv" => CsvBody.ToJson(plain, bytesMax),
                ".tsv" => CsvBody.ToJson(plain, bytesMax, (byte)'\t'),
                _ => plain,
            });
        }
        catch (FormatException wrong)
        {
            throw SaqlErrors.BadReference.With(name, wrong.Message).AsException(wrong);
        }
    }

    private static bool HasEnding(string name, string ending) =>
        name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static List<byte[]> Cut(ReadOnlySpan<byte> content)
    {
        content = ByteOrderMark.Without(content);
        var entries = new List<byte[]>();
        if (!Utf8.IsValid(content)) throw new FormatException("It is no UTF-8.");
        var scanner = new JsonScanner(content, 0);
        scanner.SkipBlanks();
        var isArray = scanner.TrySkip((byte)'[');
        scanner.SkipBlanks();
        while (!scanner.AtEnd && !(isArray && scanner.Current == ']'))
        {
            var start = scanner.At;
            if (scanner.Current != '{' || !scanner.TrySkipValue()) throw Bad(entries.Count);
            entries.Add(content[start..scanner.At].ToArray());
            scanner.SkipBlanks();
            if (isArray && !scanner.TrySkip((byte)',') && scanner.Current != ']') throw Bad(entries.Count);
            scanner.SkipBlanks();
        }

        if (isArray && !scanner.TrySkip((byte)']')) throw Bad(entries.Count);
        return entries;
    }

    private static FormatException Bad(int entry) => new($"entry {entry + 1}");
}
