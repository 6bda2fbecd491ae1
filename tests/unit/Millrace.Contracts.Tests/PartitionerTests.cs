using System.Text;
using CsCheck;

namespace Millrace.Contracts.Tests;

public class PartitionerTests
{
    /// <summary>The values that the Java client's own tests expect.</summary>
    [TestCase("21", -973932308)]
    [TestCase("foobar", -790332482)]
    [TestCase("a-little-bit-long-string", -985981536)]
    [TestCase("a-little-bit-longer-string", -1486304829)]
    [TestCase("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [TestCase("abc", 479470107)]
    public void Murmur2_is_that_of_the_java_client(string text, int expected) =>
        Assert.That((int)Partitioner.Murmur2(Encoding.UTF8.GetBytes(text)), Is.EqualTo(expected));

    /// <summary>What BuiltInPartitioner.partitionForKey of the Java client 4.3.1 answered.</summary>
    [TestCase("", 32, 25)]
    [TestCase("a", 1024, 636)]
    [TestCase("pump-1", 4, 3)]
    [TestCase("pump-2", 32, 7)]
    [TestCase("drone00017", 7, 0)]
    [TestCase("Gerät-ü", 1024, 908)]
    [TestCase("世界", 1024, 764)]
    [TestCase("😀x", 1024, 644)]
    [TestCase("module.a/b:c", 1024, 985)]
    [TestCase("21", 4, 0)]
    [TestCase("foobar", 4, 2)]
    [TestCase("abc", 32, 27)]
    public void A_key_has_its_partition_by_the_positive_part_of_its_hash(string key, int partitions, int expected) =>
        Assert.That(Partitioner.PartitionOf(Encoding.UTF8.GetBytes(key), partitions), Is.EqualTo(expected));

    [Test]
    public void Every_key_has_a_partition_and_always_the_same() =>
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Int[1, 64]).Sample((key, partitions) =>
        {
            var partition = Partitioner.PartitionOf(key, partitions);
            return partition >= 0 && partition < partitions && partition == Partitioner.PartitionOf(key, partitions);
        });
}
