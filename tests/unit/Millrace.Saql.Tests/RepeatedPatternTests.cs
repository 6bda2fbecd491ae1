using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>PATTERN against a regular expression over letters, whatever is repeated in it.</summary>
public class RepeatedPatternTests
{
    private const string OwnRow = "k = '{0}'";

    private static readonly Gen<string> Patterns = Gen.Recursive<string>((depth, inner) => depth == 4
        ? Gen.OneOfConst("A", "B")
        : Gen.Frequency(
            (2, Gen.OneOfConst("A", "B", ".")),
            (3, Gen.Select(inner, Gen.OneOfConst("*", "+", "?"), (part, sign) => $"({part}){sign}")),
            (2, Gen.Select(inner, inner, (first, second) => $"({first} {second})")),
            (1, Gen.Select(inner, inner, (first, second) => $"({first} | {second})"))));

    /// <summary>A condition on the row alone has every step and row tried once; one on more has not.</summary>
    [TestCase(OwnRow)]
    [TestCase("COUNT({0}) >= 0 AND k = '{0}'")]
    public void A_repetition_that_matched_nothing_is_the_last(string condition) =>
        Gen.Select(Patterns, Gen.OneOfConst('A', 'B', 'C').Array[0, 6]).Sample((pattern, rows) =>
        {
            var expected = Enumerable.Range(0, rows.Length)
                .Select(start => (First: start, Match: Regex.Match(
                    new string(rows[start..]), $"^({pattern.Replace(" ", "")})(?<=.)")))
                .Where(one => one.Match.Success).Select(one => (one.First, one.First + one.Match.Length - 1));
            Assert.That(Matches(pattern, condition, rows), Is.EquivalentTo(expected), $"{pattern} {new string(rows)}");
        }, iter: Samples.Of(200));

    [TestCase("(A*)* B", "AAB", new[] { 2, 2, 2 })]
    [TestCase("(A?)+ B", "AAB", new[] { 2, 2, 2 })]
    [TestCase("(A? | B)* B", "ABAB", new[] { 1, 1, 3, 3 })]
    [TestCase("(A? | B)*", "AAB", new[] { 1, 1, 2 })]
    public void What_may_match_nothing_is_repeated(string pattern, string rows, int[] lasts) =>
        Assert.That(Matches(pattern, OwnRow, rows), Is.EquivalentTo(lasts.Select((last, first) => (first, last))));

    [Test]
    public void Repetitions_within_repetitions_take_no_longer_than_their_levels() => Assert.That(
        Matches(Nested("A*", 55) + " B", OwnRow, new string('A', 200) + "B"), Has.Member((0, 200)));

    [Test]
    public void More_steps_than_a_pattern_may_have_are_refused() => Assert.That(
        SaqlCompiler.Compile(Query(Nested(string.Concat(Enumerable.Repeat("A? ", 10_000)), 50), OwnRow))
            .Diagnostics.Single().Code, Is.EqualTo("SQ-0019"));

    private static string Nested(string part, int levels) =>
        new string('(', levels) + part + string.Concat(Enumerable.Repeat(")*", levels));

    private static string Query(string pattern, string condition) =>
        "SELECT * FROM telemetry MATCH_RECOGNIZE (LIMIT DURATION(day, 1) MEASURES First(row) AS f, Last(row) AS l " +
        $"PATTERN ({pattern}) {Defines(pattern, condition)}) AS m";

    private static string Defines(string pattern, string condition)
    {
        var defines = "AB".Where(pattern.Contains)
            .Select(name => $"{name} AS {condition.Replace("{0}", $"{name}")}").ToList();
        return defines.Count == 0 ? "" : $"DEFINE {string.Join(", ", defines)}";
    }

    /// <summary>The first and last row of each match, in the order in which they are sure.</summary>
    private static IEnumerable<(int First, int Last)> Matches(string pattern, string condition, IEnumerable<char> rows)
    {
        var run = QueryRun.Over(Query(pattern, condition),
            rows.Select((row, number) => $"{{\"k\":\"{row}\",\"row\":{number}}}"));
        Assert.That(run.Failures, Is.Empty, pattern);
        return run.Json.Select(json => JsonDocument.Parse(json).RootElement)
            .Select(match => (match.GetProperty("f").GetInt32(), match.GetProperty("l").GetInt32()));
    }
}
