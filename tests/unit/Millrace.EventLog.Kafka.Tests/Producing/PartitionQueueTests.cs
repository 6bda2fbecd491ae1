using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;
using Millrace.EventLog.Kafka.Producing;

namespace Millrace.EventLog.Kafka.Tests.Producing;

public class PartitionQueueTests
{
    private const int Refused = 10;

    // In the order in which the library got them.
    private readonly List<PendingAppend> _handedOver = [];
    private readonly List<PendingAppend> _answered = [];
    private Func<PendingAppend, (int Taken, int Error)> _library = append => (append.Records, 0);
    private PartitionQueue _queue = null!;

    [SetUp]
    public void SetUp()
    {
        _handedOver.Clear();
        _answered.Clear();
        _library = append => (append.Records, 0);
        _queue = new PartitionQueue((append, _) =>
        {
            _handedOver.Add(append);
            return _library(append);
        }, _answered.Add);
    }

    [Test]
    public void What_the_library_could_not_send_now_waits_and_goes_together()
    {
        var first = Append(3, HandOver.Done);
        var second = Append(2, HandOver.Done);
        var third = Append(1, HandOver.Waits);
        var fourth = Append(7, HandOver.Waits);

        Answer(second);
        Assert.That(_handedOver, Is.EqualTo(new[] { first, second, third, fourth }));
    }

    [Test]
    public void One_goes_alone_when_it_is_larger_than_a_batch()
    {
        var first = Append(5, HandOver.Done);
        var second = Append(5, HandOver.Waits, PartitionQueue.BatchBytesMax + 1);
        var third = Append(1, HandOver.Waits);

        Answer(first);
        Assert.That(_handedOver, Is.EqualTo(new[] { first, second }));
        Answer(second);
        Assert.That(_handedOver, Is.EqualTo(new[] { first, second, third }));
    }

    [Test]
    public void What_is_refused_takes_no_place_and_has_its_answer()
    {
        var first = Append(5, HandOver.Done);
        var second = Append(5, HandOver.Waits);
        var third = Append(1, HandOver.Waits);
        _library = append => append == second ? (0, Refused) : (append.Records, 0);

        Answer(first);
        Assert.That(_answered, Is.EqualTo(new[] { second }));
        Assert.That(_handedOver, Is.EqualTo(new[] { first, second, third }));
    }

    [Test]
    public void A_library_that_takes_nothing_any_more_is_told_apart()
    {
        _library = _ => (0, NativeErrors.Fatal);
        Append(1, HandOver.Fatal);
        Assert.That(_answered, Is.Empty, "it may go to another producer");
    }

    [Test]
    public void What_waits_can_be_given_up()
    {
        var first = Append(5, HandOver.Done);
        var second = Append(5, HandOver.Waits);
        Assert.That(_queue.GiveUp(), Is.EqualTo(new[] { second }));
        Answer(first);
        Assert.That(_handedOver, Is.EqualTo(new[] { first }));
    }

    [Test]
    public void An_append_of_which_the_library_got_less_than_there_was_fails()
    {
        _library = _ => (0, 0);
        var append = Append(1, HandOver.Done);
        Assert.That(_answered, Is.EqualTo(new[] { append }));
        Assert.That(append.Succeeded, Is.False);
    }

    /// <summary>
    /// Whatever comes and is answered when: nothing goes while five are on the way, but for what fits a batch and goes
    /// together; all go in their order, each has one answer, and nothing is left when all have theirs.
    /// </summary>
    [Test]
    public void Whatever_happens_all_go_in_order([Range(1, 100)] int seed)
    {
        var random = new Random(seed);
        var appends = new List<PendingAppend>();
        var open = new List<PendingAppend>();
        var (onTheWay, together, count) = (0, 0, 0);
        var isAnswering = false;
        _library = append =>
        {
            if (count == 0) Assert.That(onTheWay, Is.LessThan(PartitionQueue.OnTheWayMax));
            else Assert.That(together + append.Bytes, Is.LessThanOrEqualTo(PartitionQueue.BatchBytesMax));
            var isRefused = random.Next(10) == 0;
            var taken = isRefused ? random.Next(append.Records) : append.Records;
            for (var i = 0; i < taken; i++)
            {
                // The brokers may be faster than the handing over.
                if (random.Next(3) == 0) append.Report(0, i);
            }

            if (taken > 0) open.Add(append);
            onTheWay += taken;
            if (isAnswering && taken > 0) (together, count) = (together + append.Bytes, count + taken);
            return (taken, isRefused ? Refused : 0);
        };
        for (var step = 0; step < 300; step++)
        {
            if (random.Next(2) == 0) appends.Add(New(random.Next(1, 8), random.Next(1, 400_000), out _));
            else if (open.Count > 0) AnswerOne(open[random.Next(open.Count)]);
        }

        while (open.Count > 0) AnswerOne(open[0]);
        Assert.That(_handedOver, Is.EqualTo(appends));

        void AnswerOne(PendingAppend append)
        {
            open.Remove(append);
            onTheWay -= append.Taken;
            isAnswering = true;
            _queue.Answered(append);
            (isAnswering, together, count) = (false, 0, 0);

            // Those of which nothing was taken come back so.
            foreach (var refused in _answered.Where(one => one.Taken == 0)) _queue.Answered(refused);
            _answered.Clear();
        }
    }

    private PendingAppend Append(int records, HandOver expected, int bytes = 10)
    {
        var append = New(records, bytes, out var result);
        Assert.That(result, Is.EqualTo(expected));
        return append;
    }

    private PendingAppend New(int records, int bytes, out HandOver result)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++)
        {
            builder.Begin(1, "k"u8);
            builder.End(new byte[bytes / records]);
        }

        var append = new PendingAppend(new TopicPartition("telemetry", 0), builder, new AwaitedAppend(), startedAt: 0);
        result = _queue.Append(append, builder);
        return append;
    }

    private void Answer(PendingAppend append)
    {
        for (var i = 0; i < append.Taken; i++) append.Report(0, i);
        _queue.Answered(append);
    }
}
