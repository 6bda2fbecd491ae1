using Millrace.Primitives;
using static Millrace.Extensions.Tests.ExtendedRun;

namespace Millrace.Extensions.Tests;

/// <summary>Decoders of a user's assembly, chosen by content type or by option.</summary>
public class DecoderTests
{
    private static readonly QueryExtensionOptions Options = new()
    {
        Decoders = { ["application/x-frame"] = Method("Frame"), ["application/x-typed"] = Method("Typed") },
        FunctionTimeout = TimeSpan.FromSeconds(30),
    };

    [Test]
    public void The_content_type_chooses_even_when_the_body_looks_like_JSON()
    {
        var run = Over(Options, "SELECT * FROM telemetry",
            ("application/x-frame", [0x00, 0xCD]), ("application/x-frame", "{}"u8.ToArray()),
            ("application/x-typed; v=2", [1, 2, 3]), ("", """{"t":1}"""u8.ToArray()));
        Assert.That(run.Failures, Is.Empty);
        Assert.That(run.Rows, Is.EqualTo(new[]
        {
            """{"t":20.5}""", """{"t":3161.3}""", """{"type":"application/x-typed; v=2","n":3}""", """{"t":1}""",
        }));
    }

    [Test]
    public void A_body_that_it_refuses_fails_alone()
    {
        var run = Over(Options, "SELECT t FROM telemetry",
            ("application/x-frame", [1]), ("application/x-frame", [0, 11]));
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0101"));
        Assert.That(run.Failures.Single().Reason, Does.Contain("Not 2 bytes."));
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"t":1.1}""" }));
    }

    [Test]
    public void Whatever_one_throws_fails_its_record_alone()
    {
        var options = new QueryExtensionOptions
        {
            Decoders = { ["a/b"] = Method("Breaks") },
            FunctionTimeout = TimeSpan.FromSeconds(30),
        };
        var run = Over(options, "SELECT 1 AS n FROM telemetry", ("a/b", [7]), ("a/b", [1, 2]));
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0101"));
        Assert.That(run.Failures.Single().Reason, Does.Contain("no 7"));
        Assert.That(run.Rows, Has.Count.EqualTo(1));
    }

    [Test]
    public void An_option_says_what_records_are_that_do_not()
    {
        var options = new QueryExtensionOptions
        {
            Decoders = Options.Decoders,
            ContentTypes = { ["telemetry"] = "application/x-frame" },
            FunctionTimeout = TimeSpan.FromSeconds(30),
        };
        var run = Over(options, "SELECT t FROM Telemetry",
            ("", [0, 11]), ("application/json", """{"t":2}"""u8.ToArray()));
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"t":1.1}""", """{"t":2}""" }));
    }

    [Test]
    public void One_that_does_not_return_or_takes_too_much_memory_fails_its_record()
    {
        var options = new QueryExtensionOptions
        {
            Decoders = { ["a/b"] = Method("HangsOrNot") },
            FunctionTimeout = TimeSpan.FromSeconds(1),
            FunctionBytesMax = ByteSize.FromMiB(4),
            FunctionCallsLostMax = 1,
        };
        var run = Over(options, "SELECT n FROM telemetry", ("a/b", [2, 2]), ("a/b", new byte[8]), ("a/b", [1]),
            ("a/b", [2, 2]));
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"n":2}""" }));
        Assert.That(run.Failures.Select(failure => failure.Code), Is.EqualTo(Enumerable.Repeat("SQ-0101", 3)));
        Assert.That(run.Failures.Select(failure => failure.Reason),
            Has.One.Contains("EX-0006").And.One.Contains("EX-0005").And.One.Contains("EX-0007"));
    }

    [TestCase("application/x-frame; v=1")]
    [TestCase("frame")]
    public void A_name_that_is_no_media_type_is_refused(string name) => Assert.That(
        () => Over(new QueryExtensionOptions { Decoders = { [name] = Method("Frame") } }, "SELECT 1 AS x FROM t"),
        Throws.TypeOf<MillraceException>().With.Message.StartsWith("EX-0004"));

    [Test]
    public void A_method_of_another_form_is_refused() => Assert.That(
        () => Over(new QueryExtensionOptions { Decoders = { ["a/b"] = Method("Not") } }, "SELECT 1 AS x FROM t"),
        Throws.TypeOf<MillraceException>().With.Message.StartsWith("EX-0002"));
}
