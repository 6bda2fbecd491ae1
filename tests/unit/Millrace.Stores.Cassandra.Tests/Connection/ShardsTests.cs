using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Tests.Connection;

public class ShardsTests
{
    /// <summary>They are stored: another function would not find what is there.</summary>
    [TestCase("", 25)]
    [TestCase("pump-1", 39)]
    [TestCase("sensor/ü", 57)]
    public void A_device_stays_in_its_shard(string device, int shard) =>
        Assert.That(Shards.Of(device), Is.EqualTo(shard));

    [Test]
    public void Devices_of_one_kind_spread_over_all_shards()
    {
        var counts = Enumerable.Range(0, 64_000).CountBy(i => Shards.Of($"meter-{i:0000000}")).ToDictionary();
        Assert.That(counts, Has.Count.EqualTo(Shards.Count));
        Assert.That(counts.Values, Has.All.InRange(700, 1_300));
    }
}
