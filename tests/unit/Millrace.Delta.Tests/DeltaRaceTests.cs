using Millrace.ObjectStore;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Delta.Tests;

/// <summary>Several writers, a store that fails at random, and still each range of offsets once.</summary>
public sealed class DeltaRaceTests
{
    private const int Partitions = 3;
    private const int Writers = 4;
    private const int OffsetsEnd = 12;

    [Test]
    public async Task Whatever_fails_each_offset_is_in_the_table_once([Range(1, 12)] int seed)
    {
        using var folder = new TemporaryFolder();
        var store = TestObjectStores.Files(folder.Path);
        using (var maker = DeltaTableTests.TableOn(store)) await DeltaTableTests.MakeAsync(maker);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(
            () => WriteAllAsync(store, new Random((seed * 100) + writer)))));

        using var table = DeltaTableTests.TableOn(store);
        var snapshot = (await table.RefreshAsync())!;
        for (var partition = 0; partition < Partitions; partition++)
        {
            var ranges = snapshot.Files.Keys.Select(Parse).Where(range => range.Partition == partition)
                .OrderBy(range => range.From).ToList();
            var expected = ranges.Select(range => range.To).SkipLast(1).Prepend(0);
            Assert.That(ranges.Select(range => range.From), Is.EqualTo(expected));
            Assert.That(ranges[^1].To, Is.EqualTo(OffsetsEnd));
        }
    }

    /// <summary>A writer that starts again from the table whenever it fails, as the archiver does.</summary>
    private static async Task WriteAllAsync(IObjectStore store, Random random)
    {
        using var table = DeltaTableTests.TableOn(new FaultyObjectStore(store, _ => random.Next(10) switch
        {
            0 => WriteFault.Refused,
            1 => WriteFault.AnswerLost,
            _ => WriteFault.None,
        }));
        while (true)
        {
            var snapshot = (await table.RefreshAsync())!;
            var open = Enumerable.Range(0, Partitions)
                .Where(partition => (snapshot.PositionOf($"telemetry/{partition}") ?? 0) < OffsetsEnd).ToList();
            if (open.Count == 0) return;
            var partition = open[random.Next(open.Count)];
            var from = snapshot.PositionOf($"telemetry/{partition}");
            var to = Math.Min(OffsetsEnd, (from ?? 0) + 1 + random.Next(3));
            var name = $"{partition}_{from ?? 0}_{to}_{Guid.NewGuid():N}";
            await table.CommitAsync(DeltaTableTests.Commit(name, new PositionMove($"telemetry/{partition}", from, to)));
        }
    }

    private static (int Partition, long From, long To) Parse(string path)
    {
        var parts = Path.GetFileNameWithoutExtension(path).Split('_');
        return (int.Parse(parts[0]), long.Parse(parts[1]), long.Parse(parts[2]));
    }
}
