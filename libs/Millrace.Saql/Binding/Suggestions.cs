namespace Millrace.Saql.Binding;

/// <summary>The name that was probably meant.</summary>
internal static class Suggestions
{
    /// <summary>What other dialects call a function.</summary>
    private static readonly Dictionary<string, string> OtherDialects = new(StringComparer.OrdinalIgnoreCase)
    {
        ["LENGTH"] = "LEN",
        ["CHAR_LENGTH"] = "LEN",
        ["SUBSTR"] = "SUBSTRING",
        ["INSTR"] = "CHARINDEX",
        ["POS"] = "CHARINDEX",
        ["CEIL"] = "CEILING",
        ["POW"] = "POWER",
        ["LN"] = "LOG",
        ["MOD"] = "the operator %",
        ["MEAN"] = "AVG",
        ["STDDEV"] = "STDEV",
        ["STDDEV_POP"] = "STDEVP",
        ["VARIANCE"] = "VAR",
        ["IFNULL"] = "ISNULL",
        ["NVL"] = "ISNULL",
        ["IF"] = "IIF",
        ["NOW"] = "System.Timestamp",
        ["GETDATE"] = "System.Timestamp",
        ["GETUTCDATE"] = "System.Timestamp",
        ["CURRENT_TIMESTAMP"] = "System.Timestamp",
        ["CONVERT"] = "CAST",
        ["TRY_CONVERT"] = "TRY_CAST",
        ["TUMBLE"] = "TumblingWindow",
        ["HOP"] = "HoppingWindow",
        ["RLIKE"] = "REGEXMATCH",
        ["REGEXP_REPLACE"] = "REGEXREPLACE",
        ["DATE_ADD"] = "DATEADD",
    };

    public static string ForFunction(string written, IEnumerable<string> names) =>
        OtherDialects.TryGetValue(written, out var ours) ? $" Did you mean {ours}?" : For(written, names);

    /// <summary>" Did you mean X?" for the nearest name, or nothing when none is near.</summary>
    public static string For(string written, IEnumerable<string> names)
    {
        var distanceMax = Math.Max(1, written.Length / 3);
        var nearest = names.Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(name => (Name: name, Distance: Distance(written.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= distanceMax)
            .OrderBy(candidate => candidate.Distance).ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest.Name is null ? "" : $" Did you mean {nearest.Name}?";
    }

    public static string List(IEnumerable<string> names, int countMax = 12)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(countMax)) + (all.Count > countMax ? ", ..." : "");
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours.</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 8 || a.Length > 128) return int.MaxValue;
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
