using Microsoft.Extensions.Time.Testing;
using Millrace.Cql.Requests;

namespace Millrace.Cql.Tests.Requests;

public class RetryRulesTests
{
    [Test]
    public void What_was_surely_not_done_goes_to_another_node_whatever_it_is()
    {
        var unavailable = new CqlUnavailableException("", null, Consistency.LocalQuorum, 2, 1);
        Assert.That(RetryRules.AfterError(unavailable, idempotent: false, retries: 0), Is.EqualTo(Verdict.NextNode));
        Assert.That(RetryRules.AfterError(unavailable, idempotent: true, retries: 1), Is.EqualTo(Verdict.Fail));
        var starting = new CqlServerException(ServerErrorCode.IsBootstrapping, "", null);
        Assert.That(RetryRules.AfterError(starting, idempotent: false, retries: 1), Is.EqualTo(Verdict.NextNode));
    }

    [TestCase(ServerErrorCode.Overloaded)]
    [TestCase(ServerErrorCode.ServerError)]
    [TestCase(ServerErrorCode.TruncateError)]
    public void What_may_have_been_done_is_repeated_only_when_that_does_no_harm(ServerErrorCode code)
    {
        var error = new CqlServerException(code, "", null);
        Assert.That(RetryRules.AfterError(error, idempotent: true, retries: 0), Is.EqualTo(Verdict.NextNode));
        Assert.That(RetryRules.AfterError(error, idempotent: false, retries: 0), Is.EqualTo(Verdict.Fail));
    }

    [TestCase(ServerErrorCode.SyntaxError)]
    [TestCase(ServerErrorCode.Unauthorized)]
    [TestCase(ServerErrorCode.Invalid)]
    [TestCase(ServerErrorCode.WriteFailure)]
    [TestCase(ServerErrorCode.FunctionFailure)]
    public void What_would_fail_again_is_not_repeated(ServerErrorCode code) => Assert.That(
        RetryRules.AfterError(new CqlServerException(code, "", null), idempotent: true, retries: 0),
        Is.EqualTo(Verdict.Fail));

    [TestCase(2, false, Verdict.SameNode)]
    [TestCase(2, true, Verdict.Fail)]
    [TestCase(1, false, Verdict.Fail)]
    public void A_read_is_repeated_when_only_the_data_was_missing(int received, bool dataPresent, object expected)
    {
        var answers = new ReplicaAnswers(Consistency.Quorum, received, 2) { DataPresent = dataPresent };
        var timeout = new CqlReplicaException(ServerErrorCode.ReadTimeout, "", null, answers);
        Assert.That(RetryRules.AfterError(timeout, idempotent: false, retries: 0), Is.EqualTo(expected));
    }

    [Test]
    public void Timestamps_rise_even_when_the_clock_does_not()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        var timestamps = new TimestampGenerator(clock);
        var first = timestamps.Next();
        Assert.That(first, Is.EqualTo(1_700_000_000_000_000));
        Assert.That(timestamps.Next(), Is.EqualTo(first + 1));
        clock.AdjustTime(clock.GetUtcNow() - TimeSpan.FromHours(1));
        Assert.That(timestamps.Next(), Is.EqualTo(first + 2));
        clock.Advance(TimeSpan.FromHours(2));
        Assert.That(timestamps.Next(), Is.EqualTo(first + 3_600_000_000));
    }
}
