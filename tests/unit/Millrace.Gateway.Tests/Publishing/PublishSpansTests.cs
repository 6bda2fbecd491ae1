using System.Diagnostics;
using System.Text;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Tests.Publishing;

[NonParallelizable]
public class PublishSpansTests
{
    private const string Sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private readonly List<Activity> _ended = [];

    [TearDown]
    public void Forget() => _ended.Clear();

    [Test]
    public void A_record_carries_the_gateways_span_on_which_is_a_child_of_the_devices()
    {
        using var listening = Listen(ActivitySamplingResult.AllDataAndRecorded);
        var batch = Encode(Sent);
        batch.Spans.Append(TimeProvider.System);
        batch.Spans.Durable(new TopicPartition("telemetry", 3), firstOffset: 40);

        var publish = _ended.Single(span => span.OperationName == "publish telemetry");
        var append = _ended.Single(span => span.OperationName == "append telemetry");
        Assert.That(publish.ParentId, Is.EqualTo(Sent));
        Assert.That(append.ParentId, Is.EqualTo(publish.Id));
        Assert.That(publish.GetTagItem("messaging.kafka.offset"), Is.EqualTo(40));
        Assert.That(Carried(batch), Is.EqualTo(publish.Id));
        Assert.That(Activity.Current, Is.Null);
    }

    [Test]
    public void A_record_that_is_not_sampled_says_so_to_those_behind()
    {
        using var listening = Listen(ActivitySamplingResult.None);
        Assert.That(Carried(Encode(Sent)), Is.EqualTo(Sent[..^1] + "0"));
        Assert.That(Carried(Encode("no trace")), Is.EqualTo("no trace"));
    }

    [Test]
    public void While_nobody_listens_a_record_is_as_the_device_sent_it()
    {
        Assert.That(MessageSpans.AreOn, Is.False);
        Assert.That(Carried(Encode(Sent)), Is.EqualTo(Sent));
    }

    [Test]
    public void What_is_dropped_ends_its_span_with_an_error()
    {
        using var listening = Listen(ActivitySamplingResult.AllDataAndRecorded);
        Encode(Sent).Spans.Fail();
        Assert.That(_ended.Single().Status, Is.EqualTo(ActivityStatusCode.Error));
    }

    private static PublishBatch Encode(string traceParent)
    {
        var batch = new PublishBatch();
        batch.Spans.Watch(MessageSpans.AreOn);
        batch.Records.Begin(1, "pump-1"u8);
        batch.Records.AddHeader(TelemetryHeaders.TraceParent, Encoding.ASCII.GetBytes(traceParent));
        batch.Records.End("{}"u8);
        return batch;
    }

    private static string Carried(PublishBatch batch)
    {
        var record = RecordView.Of(batch.Records.Bytes.Span, 0);
        Assert.That(record.TryGetHeader(TelemetryHeaders.TraceParent, out var value));
        return Encoding.ASCII.GetString(value);
    }

    private ActivityListener Listen(ActivitySamplingResult result)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MessageSpans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => result,
            ActivityStopped = _ended.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
