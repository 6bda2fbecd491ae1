using System.Text.Json;
using Millrace.Saql.Functions;

namespace Millrace.Saql.Tests;

/// <summary>Patterns and texts that a row cannot be held up with, nor the memory filled.</summary>
public class PatternTests
{
    [TestCase("abc", 0, 0)]
    [TestCase("a+", 1, 1)]
    [TestCase("a+?b*", 1, 2)]
    [TestCase("a|b|c", 0, 2)]
    [TestCase("(?:a|b)+", 1, 2)]
    [TestCase("(a+b)*", 2, 2)]
    [TestCase("((a|b?)+c)*", 3, 4)]
    [TestCase("(a{2,3})*", 2, 4)]
    [TestCase("(a|b{1,3}){2}", 2, 10)]
    [TestCase("a{3,}", 1, 3)]
    [TestCase("((a{99}){99}){99}", 3, 980_199)]
    [TestCase("((a{999}){999}){999}", 3, 1_000_000)]
    [TestCase(@"(\(*[(*]*\*)+", 2, 3)]
    [TestCase("(a*)(b*)(c*)", 1, 3)]
    [TestCase("(((((a))))*)*", 2, 2)]
    public void What_a_pattern_leaves_open_is_counted(string pattern, int depth, long choices) =>
        Assert.That(PatternSize.Of(pattern), Is.EqualTo(new PatternSize(depth, choices)));

    [TestCase(@"(\w+\s?)+$")]
    [TestCase(@"^(\d{1,3}\.){3}\d{1,3}$")]
    [TestCase("error|warn|fail|alarm|lost|broken")]
    [TestCase("^[a-z0-9._%+-]+@[a-z0-9.-]+[.][a-z]{2,9}$")]
    public void What_rules_are_made_of_runs_in_linear_time(string pattern) =>
        Assert.That(PatternSize.Of(pattern).IsSmall, Is.True);

    /// <summary>In linear time a single step of it would take seconds.</summary>
    [Test]
    public void Counted_repetitions_within_each_other_are_ended_or_found() => Assert.That(
        PatternSize.Of(@"(a?)c(\w+|b??((\w{2,5}|c){0,9}a)|c){2,5}").IsSmall, Is.False);

    [TestCase(12)]
    [TestCase(200)]
    public void A_pattern_of_repetitions_within_repetitions_fails_its_row_after_the_time_that_it_may_take(int levels)
    {
        var pattern = string.Concat(Enumerable.Repeat("(a|", levels)) + "b" +
            string.Concat(Enumerable.Repeat(")*", levels)) + "d";
        var run = Over($"SELECT REGEXMATCH(a, '{pattern}') AS m FROM telemetry", new string('a', 60) + "c");
        Assert.That(run.Rows, Is.Empty);
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0114"));
    }

    [TestCase("REGEXMATCH(a, b)")]
    [TestCase("REGEXREPLACE(a, b, '')")]
    [TestCase("PATINDEX(b, a)")]
    [TestCase("IIF(a LIKE b, 1, 0)")]
    public void A_pattern_has_a_longest_length(string call)
    {
        var query = $"SELECT {call} AS m FROM telemetry";
        Assert.That(Over(query, "a", new string('a', 8_000)).Failures, Is.Empty);
        var failure = Over(query, "a", new string('a', 8_001)).Failures.Single();
        Assert.That(failure.Code, Is.EqualTo("SQ-0106"));
        Assert.That(failure.Reason, Does.Contain("over 8000"));
    }

    [TestCase("[]", "a]", 0)]
    [TestCase("[]]", "ab]", 0)]
    [TestCase("b|[]", "ab", 2)]
    [TestCase("[^]", "a", 1)]
    [TestCase("b[^]c", "ab]c", 2)]
    [TestCase("[a-c-[b]]", "xb]", 2)]
    [TestCase("[[]", "a[", 2)]
    public void Classes_are_those_of_ECMAScript(string pattern, string text, int place) => Assert.That(
        Over("SELECT REGEXMATCH(a, b) AS n FROM telemetry", text, pattern).Json,
        Is.EqualTo(new[] { $"{{\"n\":{place}}}" }));

    [TestCase("POWER(-8, 0.5)", "SQ-0106", "no finite value")]
    [TestCase("POWER(0, -1)", "SQ-0106", "no finite value")]
    [TestCase("POWER(10, 400)", "SQ-0103", "does not fit a bigint")]
    [TestCase("POWER(10, 30)", "SQ-0103", "does not fit a bigint")]
    public void POWER_says_whether_there_is_a_result(string call, string code, string reason)
    {
        var failure = Over($"SELECT {call} AS n FROM telemetry", "").Failures.Single();
        Assert.That(failure.Code, Is.EqualTo(code));
        Assert.That(failure.Reason, Does.Contain(reason));
    }

    [TestCase("REGEXREPLACE(a, 'a', '$_')", 2_000)]
    [TestCase("REGEXREPLACE(a, 'a', REPLICATE('$_', 500))", 60_000)]
    [TestCase("CONCAT(a, a)", 600_000)]
    [TestCase("CONCAT_WS('', a, a)", 600_000)]
    [TestCase("a + a", 600_000)]
    [TestCase("STUFF(a, 1, 0, a)", 600_000)]
    [TestCase("REPLACE(a, 'a', 'aa')", 600_000)]
    [TestCase("REPLICATE(a, 2)", 600_000)]
    [TestCase("FORMAT(7, 'D999999999')", 1)]
    [TestCase("FORMAT(7.5, 'F1000')", 1)]
    public void A_text_that_would_be_too_long_fails_its_row(string call, int length)
    {
        var run = Over($"SELECT LEN({call}) AS n FROM telemetry", new string('a', length));
        Assert.That(run.Rows, Is.Empty);
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0106"));
    }

    [TestCase("REGEXREPLACE(a, 'a', '$_')", 1_000, 1_000_000)]
    [TestCase("CONCAT(a, a)", 500_000, 1_000_000)]
    [TestCase("a + a", 500_000, 1_000_000)]
    [TestCase("FORMAT(7, 'D999')", 1, 999)]
    public void A_text_up_to_the_most_is_made(string call, int length, int expected) => Assert.That(
        Over($"SELECT LEN({call}) AS n FROM telemetry", new string('a', length)).Json,
        Is.EqualTo(new[] { $"{{\"n\":{expected}}}" }));

    [Test]
    public void A_record_that_doubles_with_every_step_fails_its_row()
    {
        var steps = string.Concat(Enumerable.Range(1, 20).Select(step =>
            $", s{step} AS (SELECT LAST(*) OVER (LIMIT DURATION(second, 1)) AS p, " +
            $"LAST(*) OVER (LIMIT DURATION(second, 1)) AS q FROM s{step - 1})"));
        var run = Over($"WITH s0 AS (SELECT a FROM telemetry){steps} SELECT p INTO o FROM s20",
            new string('a', 1_000));
        Assert.That(run.Rows, Is.Empty);
        Assert.That(run.Failures.First().Code, Is.EqualTo("SQ-0106"));
    }

    [TestCase("%a%b%", "xxaxxb", 3)]
    [TestCase("%a_c%", "abaabc", 4)]
    [TestCase("%ab%ac%", "abacab", 1)]
    [TestCase("%a%ac", "aacac", 1)]
    [TestCase("%[%]%", "a%b", 2)]
    [TestCase("%[a-c]x%", "axdxcx", 1)]
    [TestCase("%[^a]", "aab", 3)]
    [TestCase("%abcd", "bcd", 0)]
    [TestCase("%a[", "xa[", 2)]
    public void PATINDEX_is_the_first_place(string pattern, string text, int expected) =>
        Assert.That(Over("SELECT PATINDEX(b, a) AS n FROM telemetry", text, pattern).Json,
            Is.EqualTo(new[] { $"{{\"n\":{expected}}}" }));

    [Test]
    public void PATINDEX_looks_through_a_long_text_once_for_what_may_stand_anywhere() =>
        Assert.That(Over("SELECT PATINDEX(b, a) AS n FROM telemetry", new string('a', 8_000),
            "%a%" + new string('a', 500) + "b%").Json, Is.EqualTo(new[] { """{"n":0}""" }));

    [TestCase("IIF(a LIKE b, 1, 0)")]
    [TestCase("PATINDEX(b, a)")]
    public void A_pattern_that_tries_too_much_fails_its_row(string call)
    {
        var run = Over($"SELECT {call} AS n FROM telemetry", new string('a', 60_000),
            "%" + new string('a', 7_000) + "b%");
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0114"));
        Assert.That(run.Failures.Single().Reason, Does.Contain("steps"));
    }

    private static QueryRun Over(string query, string a, string b = "") => QueryRun.Over(query,
        [JsonSerializer.Serialize(new { a, b })]);
}
