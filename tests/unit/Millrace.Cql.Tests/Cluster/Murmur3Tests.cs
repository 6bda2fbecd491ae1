using System.Text;
using Millrace.Cql.Cluster;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Cluster;

/// <summary>Tokens that Cassandra 5.0 gave for these keys (SELECT token).</summary>
public class Murmur3Tests
{
    [TestCase("a", -8839064797231613815)]
    [TestCase("device-1", 1351063989247832546)]
    [TestCase("0123456789abcde", -6472281833689111727)]
    [TestCase("0123456789abcdef", 5467490433528156583)]
    [TestCase("0123456789abcdef0", -1502884478548852619)]
    [TestCase("größer als ein Block, mit Umlauten", -3693003517724451185)]
    [TestCase("ÿÿÿÿÿÿÿÿÿ", 2665809118322772223)]
    [TestCase("日本語日本語日本語", 6435790839301015073)]
    public void Tokens_are_those_of_Cassandra(string key, long token) =>
        Assert.That(Murmur3.Token(Encoding.UTF8.GetBytes(key)), Is.EqualTo(token));

    [TestCase("device-1", 1, 7, 6979819446658243530)]
    [TestCase("", 1, 0, -150644895381498316)]
    [TestCase("x", 300, -1, -4285727839626876538)]
    public void Keys_of_two_columns_too(string text, int times, int number, long token)
    {
        var values = new WireBuffer();
        values.Bytes([1, 2, 3]);
        var numberAt = values.Length;
        values.Int(4);
        values.Int(number);
        var textAt = values.Length;
        values.LongString(string.Concat(Enumerable.Repeat(text, times)));

        Assert.That(RoutingKey.Token(values.Written, [textAt, numberAt]), Is.EqualTo(token));
    }
}
