using CsCheck;

namespace Millrace.Primitives.Tests;

public class DurationTextTests
{
    [TestCase("100us", 0.0001)]
    [TestCase("500ms", 0.5)]
    [TestCase("5s", 5)]
    [TestCase("10m", 600)]
    [TestCase("1h", 3_600)]
    [TestCase("7d", 604_800)]
    [TestCase("0s", 0)]
    public void A_number_and_a_unit_make_a_duration(string text, double seconds) =>
        Assert.That(DurationText.Parse(text), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("5")]
    [TestCase("s")]
    [TestCase("-5s")]
    [TestCase("1.5h")]
    [TestCase(" 5s")]
    [TestCase("5 s")]
    [TestCase("5S")]
    [TestCase("99999999999999999999s")]
    [TestCase("999999999999d")]
    public void Other_text_is_refused(string? text) => Assert.That(DurationText.TryParse(text, out _), Is.False);

    [Test]
    public void Parsing_bad_text_says_the_code_and_the_value() =>
        Assert.That(() => DurationText.Parse("soon"), Throws.TypeOf<MillraceException>()
            .With.Message.StartsWith("MR-0002").And.Message.Contains("[soon]"));

    [TestCase("1500us")]
    [TestCase("90s")]
    [TestCase("36h")]
    [TestCase("1m")]
    [TestCase("0ms")]
    public void A_duration_is_written_in_its_largest_whole_unit(string text) =>
        Assert.That(DurationText.Format(DurationText.Parse(text)), Is.EqualTo(text));

    [Test]
    public void What_is_written_reads_as_the_same_duration() =>
        Gen.Long[0, 1L << 56].Sample(microseconds =>
        {
            var duration = TimeSpan.FromMicroseconds(microseconds);
            return DurationText.Parse(DurationText.Format(duration)) == duration;
        });
}
