using Millrace.Api.Queries;
using Millrace.Primitives;

namespace Millrace.Api.Tests;

public class QueryRequestTests
{
    [TestCase("now")]
    [TestCase("state")]
    [TestCase("2026-11-22")]
    [TestCase("2026-11-22T10:00Z")]
    [TestCase("2026-11-22T10:00:00.25+02:00")]
    public void A_query_begins_at_a_moment_that_stays_the_same(string from) =>
        Assert.That(Request(startFrom: from).Options(null).StartFrom, Is.EqualTo(from));

    [TestCase("12:00")]
    [TestCase("yesterday")]
    [TestCase("11/22/2026")]
    [TestCase("2026-11-31")]
    public void A_beginning_that_is_no_moment_is_refused(string from) =>
        Assert.That(CodeOf(Request(startFrom: from)), Is.EqualTo("AP-0004"));

    [TestCase("30d", "30d", "1")]
    [TestCase("10m", "0s", null)]
    public void Limits_of_a_query_are_taken_as_far_as_they_mean_something(
        string late, string outOfOrder, string? stateBytesMax)
    {
        var options = Request(late, outOfOrder, stateBytesMax).Options(null);

        Assert.That(DurationText.Format(options.LateTolerance), Is.EqualTo(late));
        Assert.That(options.StateBytesMax?.ToString(), Is.EqualTo(stateBytesMax));
    }

    [TestCase("10000000d", null, null)]
    [TestCase("31d", null, null)]
    [TestCase(null, "31d", null)]
    [TestCase(null, null, "0")]
    [TestCase(null, null, "0KiB")]
    public void Limits_that_mean_nothing_are_refused(string? late, string? outOfOrder, string? stateBytesMax) =>
        Assert.That(CodeOf(Request(late, outOfOrder, stateBytesMax)), Is.EqualTo("AP-0004"));

    private static QueryRequest Request(
        string? late = null, string? outOfOrder = null, string? stateBytesMax = null, string? startFrom = null) =>
        new("SELECT 1", Late: late, OutOfOrder: outOfOrder, StateBytesMax: stateBytesMax, StartFrom: startFrom);

    private static string CodeOf(QueryRequest request) =>
        Assert.Throws<MillraceException>(() => request.Options(null))!.Error.Code;
}
