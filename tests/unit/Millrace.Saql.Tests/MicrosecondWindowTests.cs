namespace Millrace.Saql.Tests;

/// <summary>Windows and durations of microseconds.</summary>
public class MicrosecondWindowTests
{
    private const string At = " FROM i TIMESTAMP BY t GROUP BY ";

    private static readonly string[] Lines =
    [
        Line("00.0000001"), Line("00.0005"), Line("00.0005001"), Line("00.000900"), Line("00.0021"),
    ];

    [TestCase("COUNT(*)" + At + "TumblingWindow(microsecond, 500)", "2@.0005 2@.001 1@.0025")]
    [TestCase("COUNT(*)" + At + "Tumbling(Duration(mcs, 500), Offset(microsecond, -1))",
        "1@.000499 3@.000999 1@.002499")]
    [TestCase("COUNT(*)" + At + "HoppingWindow(mcs, 1000, 500)", "2@.0005 4@.001 2@.0015 1@.0025 1@.003")]
    [TestCase("COUNT(*)" + At + "SessionWindow(Timeout(mcs, 500), MaxDuration(second, 1))", "4@.0014 1@.0026")]
    [TestCase("COUNT(*)" + At + "SlidingWindow(mcs, 1500)",
        "1@.0000001 2@.0005 3@.0005001 4@.0009 3@.0015001 2@.002 1@.0020001 2@.0021 1@.0024")]
    public void A_window_may_be_of_microseconds(string query, string expected)
    {
        var text = "SELECT " + query.Replace(" FROM", " AS n, System.Timestamp() AS e INTO o FROM");
        var run = QueryRun.Over(text, Lines);
        Assert.That(string.Join(' ', run.Json.Select(Shown)), Is.EqualTo(expected));
        Assert.That(run.Rows.Select(row => row.RowId), Is.Unique);
    }

    [TestCase("ISFIRST(mcs, 500) OVER ()", "1 0 1 0 1")]
    [TestCase("COUNT(*) OVER (LIMIT DURATION(mcs, 500))", "1 2 2 3 1")]
    public void A_duration_may_be_of_microseconds(string call, string expected)
    {
        var run = QueryRun.Over($"SELECT {call} AS n INTO o FROM i TIMESTAMP BY t", Lines);
        Assert.That(string.Join(' ', run.Json.Select(json => json[5..^1])), Is.EqualTo(expected));
    }

    [TestCase("TumblingWindow(microsecond, 0.5)", "whole microseconds")]
    [TestCase("TumblingWindow(microsecond, 0)", "between 1 microsecond and 7 days")]
    [TestCase("HoppingWindow(second, 100001, 1)", "100001")]
    [TestCase("HoppingWindow(day, 1, 0.5), System.Timestamp()", null)]
    [TestCase("HoppingWindow(second, 100000, 1)", null)]
    public void A_window_that_is_too_fine_is_refused(string window, string? told)
    {
        var result = SaqlCompiler.Compile($"SELECT COUNT(*) AS n INTO o{At}{window}");
        Assert.That(result.Diagnostics.Select(found => found.Code),
            Is.EqualTo(told is null ? [] : new[] { "SQ-0012" }));
        if (told is not null) Assert.That(result.Diagnostics[0].Message, Does.Contain(told));
    }

    private static string Line(string seconds) => $"{{\"t\":\"2026-01-01T00:00:{seconds}Z\"}}";

    /// <summary>The count, and the end's fraction of a second.</summary>
    private static string Shown(string json)
    {
        var parts = json.Split('"', ':');
        var time = json[(json.LastIndexOf('.') + 1)..^3].TrimEnd('0');
        return $"{parts[3].TrimEnd(',')}@.{time}";
    }
}
