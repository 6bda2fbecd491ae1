using System.Buffers;
using System.Buffers.Binary;
using CsCheck;
using Millrace.Mqtt.Session;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Session;

[Category("Samples")]
public class AckWindowTests
{
    [Test]
    public void Acks_leave_in_order_and_only_when_all_before_them_are_durable() =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var window = new AckWindow(random.Next(1, 40));
            var waiting = new List<(ushort Id, int Lane, long Number, bool Ready)>();
            ushort nextId = 1;
            for (var step = 0; step < 300; step++)
            {
                if (random.Next(3) > 0 && !window.IsFull)
                {
                    var id = nextId++;
                    var refused = random.Next(5) == 0;
                    var lane = random.Next(3);
                    if (refused) window.AddAnswered(id, ReasonCode.NotAuthorized);
                    waiting.Add(refused ? (id, -1, -1, true) : (id, lane, window.Add(id, lane), false));
                    continue;
                }

                MarkSome(window, waiting, random);
                var ready = waiting.TakeWhile(each => each.Ready).Select(each => (each.Id, each.Lane < 0)).ToList();
                Assert.That(Written(window), Is.EqualTo(ready), $"seed {seed}");
                waiting.RemoveRange(0, ready.Count);
                Assert.That(window.Count, Is.EqualTo(waiting.Count));
            }
        }, iter: Samples.Of(200));

    [Test]
    public void The_window_is_full_at_its_size_and_not_before()
    {
        var window = new AckWindow(3);
        window.Add(1, 0);
        window.Add(2, 0);
        Assert.That(window.IsFull, Is.False);

        window.Add(3, 0);
        Assert.That(window.IsFull);
        window.MarkDurable(0, 0);
        Written(window);
        Assert.That(window.IsFull, Is.False);
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(5)]
    [TestCase(8)]
    [TestCase(20)]
    public void A_full_window_takes_no_more_whatever_its_size(int max)
    {
        var window = new AckWindow(max);
        for (ushort id = 1; id <= max; id++) window.Add(id, 0);

        Assert.That(() => window.Add(100, 0), Throws.InvalidOperationException);
        Assert.That(() => window.AddAnswered(100, ReasonCode.Success), Throws.InvalidOperationException);
        window.MarkDurable(0, max);
        Assert.That(Written(window), Has.Count.EqualTo(max));
    }

    [Test]
    public void Many_acks_of_one_batch_are_written_without_allocating()
    {
        var window = new AckWindow(64);
        var target = new ArrayBufferWriter<byte>(1024);
        void Batch()
        {
            var last = 0L;
            for (ushort id = 1; id <= 64; id++) last = window.Add(id, 2);
            window.MarkDurable(2, last);
            window.WriteReady(target, MqttVersion.V5);
            target.ResetWrittenCount();
        }

        Batch();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Batch();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void MarkSome(
        AckWindow window, List<(ushort Id, int Lane, long Number, bool Ready)> waiting, Random random)
    {
        var lane = random.Next(3);
        var mine = waiting.Where(each => each.Lane == lane).ToList();
        if (mine.Count == 0) return;
        var upTo = mine[random.Next(mine.Count)].Number;
        window.MarkDurable(lane, upTo);
        for (var i = 0; i < waiting.Count; i++)
        {
            if (waiting[i].Lane == lane && waiting[i].Number <= upTo) waiting[i] = waiting[i] with { Ready = true };
        }
    }

    private static List<(ushort Id, bool Refused)> Written(AckWindow window)
    {
        var target = new ArrayBufferWriter<byte>();
        var count = window.WriteReady(target, MqttVersion.V5);
        var acks = new List<(ushort, bool)>();
        var bytes = target.WrittenSpan;
        while (!bytes.IsEmpty)
        {
            Assert.That(bytes[0], Is.EqualTo(0x40));
            acks.Add((BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), bytes[1] == 3));
            bytes = bytes[(2 + bytes[1])..];
        }

        Assert.That(acks, Has.Count.EqualTo(count));
        return acks;
    }
}
