using CsCheck;
using Millrace.Cql.Connections;

namespace Millrace.Cql.Tests.Connections;

public class StreamTableTests
{
    [Test]
    public void All_32768_streams_can_be_used_and_no_more()
    {
        var table = new StreamTable(32_768);
        var taken = new HashSet<short>();
        for (var i = 0; i < 32_768; i++)
        {
            Assert.That(table.TryTake(new Call(), 0, out var stream), Is.True);
            Assert.That(stream, Is.GreaterThanOrEqualTo(0));
            Assert.That(taken.Add(stream), Is.True);
        }

        Assert.That(table.TryTake(new Call(), 0, out _), Is.False);
        Assert.That(table.Complete(77, out _), Is.EqualTo(StreamOwner.Handler));
        Assert.That(table.TryTake(new Call(), 0, out var again), Is.True);
        Assert.That(again, Is.EqualTo(77));
    }

    [Test]
    public void It_does_what_a_dictionary_does() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var table = new StreamTable(16);
        var model = new Dictionary<short, (Call? Waiting, long Deadline)>();
        for (var step = 0; step < 200; step++)
        {
            var stream = (short)random.Next(-1, 17);
            switch (random.Next(4))
            {
                case 0:
                    var (call, deadline) = (new Call(), random.NextInt64(100));
                    var taken = table.TryTake(call, deadline, out var free);
                    Assert.That(taken, Is.EqualTo(model.Count < 16));
                    if (taken) model.Add(free, (call, deadline));
                    break;
                case 1:
                    var owner = table.Complete(stream, out var handler);
                    var known = model.Remove(stream, out var expected);
                    Assert.That(owner, Is.EqualTo(!known ? StreamOwner.None
                        : expected.Waiting is null ? StreamOwner.Orphan : StreamOwner.Handler));
                    Assert.That(handler, Is.SameAs(expected.Waiting));
                    break;
                case 2:
                    var waiting = model.GetValueOrDefault(stream).Waiting;
                    Assert.That(table.Abandon(stream, waiting ?? new Call()), Is.EqualTo(waiting is not null));
                    if (waiting is not null) model[stream] = (null, 0);
                    break;
                default:
                    var (now, expired) = (random.NextInt64(100), new List<IResponseHandler>());
                    table.AbandonExpired(now, expired);
                    var late = model.Where(m => m.Value.Waiting is not null && m.Value.Deadline <= now).ToList();
                    Assert.That(expired, Is.EquivalentTo(late.Select(m => m.Value.Waiting)));
                    foreach (var (one, _) in late) model[one] = (null, 0);
                    break;
            }

            Assert.That(table.Count, Is.EqualTo(model.Count));
            Assert.That(table.Orphans, Is.EqualTo(model.Values.Count(m => m.Waiting is null)));
        }

        Assert.That(table.TakeAll(), Is.EquivalentTo(model.Values.Select(m => m.Waiting).OfType<Call>()));
    }, iter: 100);
}
