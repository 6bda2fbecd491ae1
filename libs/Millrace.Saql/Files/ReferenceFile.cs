using Millrace.Saql.Json;

namespace Millrace.Saql.Files;

/// <summary>Reference data in a file: a JSON array of objects, or one object a line.</summary>
public static class ReferenceFile
{
    /// <summary>The entries as <see cref="QueryEngine.SetReference"/> takes them.</summary>
    public static IReadOnlyList<byte[]> Entries(ReadOnlySpan<byte> content)
    {
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        var entries = new List<byte[]>();
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

    private static Primitives.MillraceException Bad(int entry) =>
        SaqlErrors.BadReference.With($"entry {entry + 1}").AsException();
}
