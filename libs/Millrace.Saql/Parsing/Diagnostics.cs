using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

/// <summary>Collects what is wrong with a text; the same thing at the same place counts once.</summary>
internal sealed class Diagnostics(string text)
{
    /// <summary>More than this many help nobody.</summary>
    private const int CountMax = 50;

    private readonly SortedDictionary<(int Start, string Code, string Message), SaqlDiagnostic> _errors = [];
    private readonly SortedDictionary<(int Start, string Code, string Message), SaqlDiagnostic> _warnings = [];

    public bool HasErrors => _errors.Count > 0;

    public int ErrorCount => _errors.Count;

    /// <summary>The errors; the warnings when there are none, as what an error left open is no slip.</summary>
    public IReadOnlyList<SaqlDiagnostic> ToList() => [.. (HasErrors ? _errors : _warnings).Values.Take(CountMax)];

    /// <summary>What stands at a place, for people.</summary>
    public string TextOf(TextSpan place) =>
        text.Substring(place.Start, Math.Min(place.Length, text.Length - place.Start));

    /// <summary>The same on one line, without comments.</summary>
    public string LineOf(TextSpan place)
    {
        var part = TextOf(place);
        var line = new StringBuilder();
        var end = 0;
        foreach (var token in new Lexer(part, new Diagnostics(part)).Read())
        {
            if (line.Length > 0 && token.Start > end) line.Append(' ');
            line.Append(part, token.Start, token.Length);
            end = token.End;
        }

        return line.ToString();
    }

    public void Add(ErrorDefinition error, int start, int length, string message) =>
        _errors.TryAdd((start, error.Code, message),
            Told(SaqlSeverity.Error, error.Code, new TextSpan(start, length), message));

    public void Add(ErrorDefinition error, TextSpan place, string message) =>
        Add(error, place.Start, place.Length, message);

    /// <summary>The query does what it says, which is hardly what its author means.</summary>
    public void Warn(ErrorDefinition error, TextSpan place, string message)
    {
        if (_warnings.Count >= CountMax) return;
        _warnings.TryAdd((place.Start, error.Code, message), Told(SaqlSeverity.Warning, error.Code, place, message));
    }

    /// <summary>Whether the name is written as text is in other SQL.</summary>
    public bool IsInDoubleQuotes(NameSyntax name) =>
        name.Parts is [var only] && text.AsSpan(only.Place.Start, only.Place.Length) is ['"', ..];

    private SaqlDiagnostic Told(SaqlSeverity severity, string code, TextSpan place, string message)
    {
        var (start, length) = (place.Start, place.Length);
        start = Math.Clamp(start, 0, text.Length);
        var lineStart = start == 0 ? 0 : text.LastIndexOf('\n', start - 1) + 1;
        var lineEnd = text.IndexOf('\n', start);
        if (lineEnd < 0) lineEnd = text.Length;
        var line = text.AsSpan(0, start).Count('\n') + 1;
        var shown = text[lineStart..Math.Max(lineStart, lineEnd)].TrimEnd('\r').Replace('\t', ' ');
        var before = Characters(text.AsSpan(lineStart, start - lineStart));
        var marked = shown.AsSpan(Math.Min(start - lineStart, shown.Length));
        var carets = Math.Max(1, Characters(marked[..Math.Min(length, marked.Length)]));
        var excerpt = shown + "\n" + new string(' ', before) + new string('^', carets);
        return new SaqlDiagnostic(severity, code, line, before + 1, message, excerpt);
    }

    /// <summary>Code points: some take two of .NET's characters.</summary>
    private static int Characters(ReadOnlySpan<char> part)
    {
        var count = 0;
        foreach (var _ in part.EnumerateRunes()) count++;
        return count;
    }
}

/// <summary>A place in the query's text, in .NET's characters.</summary>
internal readonly record struct TextSpan(int Start, int Length)
{
    public int End => Start + Length;

    public static TextSpan Between(TextSpan first, TextSpan last) =>
        new(first.Start, Math.Max(last.End, first.End) - first.Start);
}
