using Millrace.Contracts;
using Millrace.EventLog.Kafka.Producing;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Tests.Producing;

public class PendingAppendTests
{
    private const int TooLarge = 10, Refused = 29;
    private AwaitedAppend _answer = new();

    [SetUp]
    public void SetUp() => _answer = new AwaitedAppend();

    [Test]
    public async Task The_answer_comes_with_the_last_report_and_says_where_the_records_are()
    {
        var append = Of(records: 3);
        Assert.That(append.HandedOver(taken: 3, error: 0), Is.False);
        Assert.That(append.Report(0, 7), Is.False);
        Assert.That(append.Report(0, 8), Is.False);
        Assert.That(append.Report(0, 12), Is.True, "another process wrote between");
        append.Complete();
        Assert.That(await _answer.Task, Is.EqualTo(new OffsetRange(7, 13)));
    }

    [Test]
    public void Reports_may_come_before_all_is_handed_over()
    {
        var append = Of(records: 1);
        Assert.That(append.Report(0, 7), Is.False);
        Assert.That(append.HandedOver(taken: 1, error: 0), Is.True);
    }

    [Test]
    public void One_record_that_failed_fails_the_append()
    {
        var append = Of(records: 2);
        append.HandedOver(taken: 2, error: 0);
        append.Report(0, 7);
        Assert.That(append.Report(Refused, -1001), Is.True);
        append.Complete();
        Assert.That(async () => await _answer.Task, FailsWith("LOG-0011"));
    }

    [Test]
    public void A_record_that_is_written_nobody_knows_where_fails_the_append()
    {
        var append = Of(records: 1);
        append.HandedOver(taken: 1, error: 0);
        append.Report(0, -1001);
        append.Complete();
        Assert.That(async () => await _answer.Task, FailsWith("LOG-0011"));
    }

    [Test]
    public void Records_that_the_library_did_not_take_fail_the_append_when_the_others_have_their_reports()
    {
        var append = Of(records: 3);
        Assert.That(append.HandedOver(taken: 1, Refused), Is.False);
        Assert.That(append.Report(0, 7), Is.True);
        append.Complete();
        Assert.That(async () => await _answer.Task, FailsWith("LOG-0011"));
    }

    [Test]
    public void Brokers_that_take_less_than_was_agreed_are_named_as_the_reason()
    {
        var append = Of(records: 1);
        append.HandedOver(taken: 1, error: 0);
        append.Report(TooLarge, -1001);
        append.Complete();
        Assert.That(async () => await _answer.Task, FailsWith("LOG-0008"));
    }

    private PendingAppend Of(int records)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++)
        {
            builder.Begin(1, "k"u8);
            builder.End("v"u8);
        }

        return new PendingAppend(new TopicPartition("telemetry", 0), builder, _answer, startedAt: 0);
    }

    private static NUnit.Framework.Constraints.IResolveConstraint FailsWith(string code) =>
        Throws.TypeOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);
}
