using System.ComponentModel;
using CsCheck;

namespace Millrace.Primitives.Tests;

public class ByteSizeTests
{
    [TestCase("0", 0)]
    [TestCase("4096", 4_096)]
    [TestCase("64KiB", 65_536)]
    [TestCase("16MiB", 16_777_216)]
    [TestCase("2GiB", 2_147_483_648)]
    public void A_number_with_or_without_a_unit_makes_a_size(string text, long bytes) =>
        Assert.That(ByteSize.Parse(text), Is.EqualTo(new ByteSize(bytes)));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("KiB")]
    [TestCase("-1")]
    [TestCase("1KB")]
    [TestCase("1.5MiB")]
    [TestCase("1 MiB")]
    [TestCase("9999999999GiB")]
    public void Other_text_is_refused(string? text) => Assert.That(ByteSize.TryParse(text, out _), Is.False);

    [Test]
    public void Parsing_bad_text_says_the_code_and_the_value() =>
        Assert.That(() => ByteSize.Parse("much"), Throws.TypeOf<MillraceException>()
            .With.Message.StartsWith("MR-0003").And.Message.Contains("[much]"));

    [Test]
    public void What_is_written_reads_as_the_same_size() =>
        Gen.Long[0, long.MaxValue].Sample(bytes => ByteSize.Parse(new ByteSize(bytes).ToString()).Bytes == bytes);

    [Test]
    public void A_size_is_written_in_its_largest_whole_unit()
    {
        Assert.That(ByteSize.FromGiB(1).ToString(), Is.EqualTo("1GiB"));
        Assert.That(ByteSize.FromMiB(1_536).ToString(), Is.EqualTo("1536MiB"));
        Assert.That(new ByteSize(1_025).ToString(), Is.EqualTo("1025"));
    }

    [Test]
    public void Configuration_converts_its_text() =>
        Assert.That(TypeDescriptor.GetConverter(typeof(ByteSize)).ConvertFromInvariantString("8KiB"),
            Is.EqualTo(ByteSize.FromKiB(8)));
}
