using System.Globalization;

namespace Millrace.Saql.Tests;

/// <summary>
/// Numbers as text, in fields whose names differ in nothing but case. Where one is not there, its name means the other.
/// </summary>
internal sealed record NaiveText(string? Lower, string? Upper)
{
    private static readonly string?[] Values = ["7", "07", "007", "7.0", "9", "10", "010", "-2.5", null];

    public static NaiveText Make(Random random) =>
        new(Values[random.Next(Values.Length)], Values[random.Next(Values.Length)]);

    /// <summary>As members of a body, behind others.</summary>
    public string Members => Member("w", Lower) + Member("W", Upper);

    private static string Member(string name, string? value) => value is null ? "" : $",\"{name}\":\"{value}\"";
}

/// <summary>Several aggregates of text in one SELECT: some take it as a number, others as it came.</summary>
internal sealed class NaiveTexts
{
    private const string AsText = "CAST({0} AS nvarchar(max))";

    private static readonly (string Text, Func<List<string>, object?> Of)[] Aggregates =
    [
        ("SUM({0})", known => known.Count == 0 ? null : known.Sum(Number)),
        ("AVG({0})", known => known.Count == 0 ? null : known.Sum(Number) / known.Count),
        ("MIN({0})", known => known.Count == 0 ? null : known.Min(Number)),
        ("MAX({0})", known => known.Count == 0 ? null : known.Max(Number)),
        ("COUNT({0})", known => known.Count),
        ("COUNT(DISTINCT {0})", known => known.Distinct().Count()),
        ("Collect({0})", known => new NaiveJson($"[{string.Join(",", known.Select(text => $"\"{text}\""))}]")),
        ($"SUM({AsText})", known => known.Count == 0 ? null : known.Sum(Number)),
        ($"MIN({AsText})", known => known.Min(StringComparer.Ordinal)),
        ($"MAX({AsText})", known => known.Max(StringComparer.Ordinal)),
    ];

    private readonly List<(string Text, Func<List<NaiveText>, object?> Of)> _columns = [];

    public NaiveTexts(Random random)
    {
        for (var left = random.Next(2, 6); left > 0; left--)
        {
            var (text, of) = Aggregates[random.Next(Aggregates.Length)];
            var isLower = random.Next(2) == 0;
            _columns.Add((string.Format(CultureInfo.InvariantCulture, text, isLower ? "w" : "W"), rows =>
                of([.. rows.Select(row => isLower ? row.Lower ?? row.Upper : row.Upper ?? row.Lower)
                    .OfType<string>()])));
        }
    }

    /// <summary>Each with a comma before it.</summary>
    public string Columns => string.Concat(_columns.Select((column, i) => $", {column.Text} AS w{i}"));

    public IEnumerable<(string Name, object? Value)> Of(IEnumerable<NaiveEvent> events)
    {
        var rows = events.Select(e => e.Text).ToList();
        return _columns.Select((column, i) => ($"w{i}", column.Of(rows)));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
