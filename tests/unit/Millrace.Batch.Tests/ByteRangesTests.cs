using CsCheck;
using Millrace.Batch.DuckDb.Cache;

namespace Millrace.Batch.Tests;

public sealed class ByteRangesTests
{
    private static readonly Gen<ByteRange> AnyRange =
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 20], (from, length) => new ByteRange(from, from + length));

    [Test]
    public void What_was_added_is_there_and_nothing_else() =>
        Gen.Select(AnyRange.List[0, 8], AnyRange).Sample((added, wanted) =>
        {
            var ranges = new ByteRanges();
            var model = new HashSet<long>();
            foreach (var range in added)
            {
                ranges.Add(range);
                model.UnionWith(Bytes(range));
            }

            return ranges.Bytes == model.Count
                && ranges.Missing(wanted).SelectMany(Bytes).SequenceEqual(Bytes(wanted).Where(b => !model.Contains(b)));
        });

    [Test]
    public void Ranges_that_are_near_become_one() => Assert.That(
        ByteRanges.Merged([new(50, 60), new(0, 10), new(12, 20), new(5, 5), new(23, 25)], gapMax: 2),
        Is.EqualTo(new ByteRange[] { new(0, 20), new(23, 25), new(50, 60) }));

    private static IEnumerable<long> Bytes(ByteRange range)
    {
        for (var at = range.From; at < range.To; at++) yield return at;
    }
}
