using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Tests.Checkpoints;

public class StateChunkTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(32 << 10)]
    [TestCase((32 << 10) + 1)]
    [TestCase(3_000_000)]
    public void Chunks_together_are_the_state(int bytes)
    {
        foreach (var isRandom in new[] { true, false })
        {
            var state = new byte[bytes];
            if (isRandom) new Random(bytes).NextBytes(state);
            var chunks = StateChunk.Cut(state);

            Assert.That(chunks.SelectMany(chunk => chunk.Bytes.ToArray()), Is.EqualTo(state));
            Assert.That(chunks.SkipLast(1).Select(chunk => chunk.Bytes.Length), Has.All.InRange(32 << 10, 512 << 10));
            Assert.That(chunks.Select(chunk => chunk.Id), Is.EqualTo(StateChunk.Cut([.. state]).Select(c => c.Id)));
        }
    }

    [Test]
    public void What_comes_in_or_goes_out_changes_the_chunks_around_it_alone()
    {
        var state = new byte[10_000_000];
        new Random(3).NextBytes(state);
        var before = StateChunk.Cut(state).Select(chunk => chunk.Id).ToHashSet();
        var after = StateChunk.Cut([.. state[100..3_000_000], .. new byte[500], .. state[3_000_100..]]);

        Assert.That(after, Has.Count.GreaterThan(40));
        Assert.That(after.Where(chunk => !before.Contains(chunk.Id)).ToList(), Has.Count.LessThan(8));
    }
}
