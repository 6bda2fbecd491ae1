namespace Millrace.Primitives.Tests;

public class DeviceIdTests
{
    [TestCase("a")]
    [TestCase("drone-0017")]
    [TestCase("A-z_0.9:x+y%z#*?!(),=@$'")]
    public void Letters_digits_and_the_known_marks_are_legal(string text)
    {
        Assert.That(DeviceId.TryParse(text, out var id), Is.True);
        Assert.That(id.Value, Is.EqualTo(text));
        Assert.That(id.ToString(), Is.EqualTo(text));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("a b")]
    [TestCase("a/b")]
    [TestCase("ä")]
    [TestCase("a\n")]
    [TestCase("a&b")]
    [TestCase("a\"b")]
    public void Anything_else_is_not(string? text)
    {
        Assert.That(DeviceId.TryParse(text, out var id), Is.False);
        Assert.That(id, Is.EqualTo(default(DeviceId)));
    }

    [Test]
    public void The_longest_id_has_128_characters()
    {
        Assert.That(DeviceId.IsValid(new string('a', 128)), Is.True);
        Assert.That(DeviceId.IsValid(new string('a', 129)), Is.False);
    }

    [Test]
    public void Parsing_a_bad_id_says_the_code_and_the_value() =>
        Assert.That(() => DeviceId.Parse("a b"), Throws.TypeOf<MillraceException>()
            .With.Message.StartsWith("MR-0001").And.Message.Contains("[a b]"));

    [Test]
    public void Case_matters_and_order_is_that_of_the_characters()
    {
        Assert.That(DeviceId.Parse("A"), Is.Not.EqualTo(DeviceId.Parse("a")));
        Assert.That(DeviceId.Parse("A").CompareTo(DeviceId.Parse("a")), Is.Negative);
    }

    [Test]
    public void The_default_value_names_no_device() => Assert.That(default(DeviceId).Value, Is.Empty);
}
