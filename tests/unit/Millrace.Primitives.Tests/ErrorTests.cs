namespace Millrace.Primitives.Tests;

public class ErrorTests
{
    private static readonly ErrorDefinition Definition =
        new("XX-0001", "It failed.", "It could not work.", "Do better.");

    [Test]
    public void An_error_says_code_what_value_detail_why_and_what_to_do() =>
        Assert.That(Definition.With(7, "Seven is odd.").ToString(),
            Is.EqualTo("XX-0001: It failed. [7] Seven is odd. It could not work. Do better."));

    [Test]
    public void An_exception_carries_its_error_and_cause()
    {
        var cause = new IOException("disk");
        var exception = Definition.With(null).AsException(cause);
        Assert.That(exception.Error.Code, Is.EqualTo("XX-0001"));
        Assert.That(exception.InnerException, Is.SameAs(cause));
        Assert.That(exception.Message, Is.EqualTo("XX-0001: It failed. It could not work. Do better."));
    }
}
