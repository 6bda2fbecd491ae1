using System.Text;
using CsCheck;

namespace Millrace.Primitives.Tests;

public class Crc32CTests
{
    [TestCase("", 0u)]
    [TestCase("a", 0xC1D04330u)]
    [TestCase("123456789", 0xE3069283u)]
    public void Known_texts_have_their_known_checksums(string text, uint expected) =>
        Assert.That(Crc32C.Compute(Encoding.ASCII.GetBytes(text)), Is.EqualTo(expected));

    /// <summary>RFC 3720, appendix B.4.</summary>
    [Test]
    public void The_examples_of_the_specification_hold()
    {
        Assert.That(Crc32C.Compute(new byte[32]), Is.EqualTo(0x8A9136AAu));
        Assert.That(Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()), Is.EqualTo(0x62A8AB43u));
        Assert.That(Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()), Is.EqualTo(0x46DD794Eu));
    }

    [Test]
    public void Any_bytes_have_the_checksum_that_the_definition_gives() =>
        Gen.Byte.Array[0, 100].Sample(bytes => Crc32C.Compute(bytes) == BitByBit(bytes));

    private static uint BitByBit(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78u;
        }

        return ~crc;
    }
}
