using Millrace.Primitives;
using static Millrace.Extensions.Tests.ExtendedRun;

namespace Millrace.Extensions.Tests;

/// <summary>Functions of a user's assembly in a query.</summary>
public class FunctionTests
{
    [Test]
    public void Values_go_in_and_come_out()
    {
        var options = With("Fahrenheit", "Label", "Parts", "NextDay", "Not");
        var run = OverJson(options,
            "SELECT UDF.Fahrenheit(t) AS f, udf.label(name, floor) AS l, UDF.Parts(machine) AS p, "
                + "UDF.NextDay(at) AS n, UDF.Not([on]) AS o FROM telemetry",
            """{"t":20,"name":"é","floor":3,"machine":{"parts":[1,2]},"at":"2026-05-01T12:00:00Z","on":true}""",
            """{"t":"37.5","name":"b"}""");

        Assert.That(run.Failures, Is.Empty);
        Assert.That(run.Rows, Is.EqualTo(new[]
        {
            """{"f":68.0,"l":"é/3","p":{"parts":2},"n":"2026-05-02T12:00:00.0000000Z","o":false}""",
            """{"f":99.5,"l":"b/0","p":null,"n":null,"o":null}""",
        }));
    }

    [Test]
    public void A_null_makes_the_result_null_unless_every_parameter_takes_it()
    {
        var run = OverJson(With("Fahrenheit", "Label"),
            "SELECT UDF.Fahrenheit(t) AS f, UDF.Label(x, t) AS l FROM telemetry", "{}");
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"f":null,"l":null}""" }));
    }

    [Test]
    public void Functions_of_one_file_share_what_is_static_in_it()
    {
        var run = OverJson(
            With("Keep", "Kept"), "SELECT UDF.Keep(t) AS a, UDF.Kept(0) AS b FROM telemetry", """{"t":7}""");
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"a":7,"b":7}""" }));
    }

    [Test]
    public void One_that_throws_fails_its_row_and_no_other()
    {
        var run = OverJson(With("Fails", "Fahrenheit"),
            "SELECT CASE WHEN t > 1 THEN UDF.Fails(t) ELSE UDF.Fahrenheit(t) END AS x FROM telemetry",
            """{"t":2}""", """{"t":0}""");
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"x":32.0}""" }));
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0109"));
        Assert.That(run.Failures.Single().Reason, Does.Contain("no 2"));
    }

    [Test]
    public void One_that_does_not_return_fails_its_row_and_is_left_alone_in_the_end()
    {
        var options = With("Hangs", "Fahrenheit");
        options.FunctionTimeout = TimeSpan.FromSeconds(1);
        options.FunctionCallsLostMax = 2;
        var run = OverJson(options,
            "SELECT UDF.Hangs(t) AS x INTO a FROM telemetry SELECT UDF.Fahrenheit(t) AS x INTO b FROM telemetry",
            """{"t":1}""", """{"t":2}""", """{"t":3}""");
        Assert.That(run.Failures.Select(failure => failure.Reason),
            Has.Exactly(2).Contains("EX-0005").And.Exactly(1).Contains("EX-0007"));
        Assert.That(run.Rows, Has.Count.EqualTo(3), "the other function is called as before");
    }

    [Test]
    public void One_that_takes_too_much_memory_fails_its_row()
    {
        var options = With("Fills");
        options.FunctionBytesMax = ByteSize.FromMiB(4);
        var run = OverJson(options, "SELECT UDF.Fills(t) AS x FROM telemetry", """{"t":1}""", """{"t":8}""");
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"x":1048576}""" }));
        Assert.That(run.Failures.Single().Reason, Does.Contain("EX-0006"));
    }

    [Test]
    public void An_argument_that_does_not_fit_fails_its_row()
    {
        var run = OverJson(With("Fails"), "SELECT UDF.Fails(t) AS x FROM telemetry", """{"t":"abc"}""",
            """{"t":3000000000}""");
        Assert.That(run.Failures.Select(failure => failure.Code), Is.EqualTo(new[] { "SQ-0107", "SQ-0109" }));
    }

    [Test]
    public void One_that_gives_what_nests_too_deep_fails_its_row()
    {
        var run = OverJson(With("Nested", "Length"), "SELECT UDF.Length(UDF.Nested(n)) AS x FROM telemetry",
            """{"n":64}""", """{"n":65}""");
        Assert.That(run.Rows, Is.EqualTo(new[] { """{"x":1}""" }));
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0106"));
        Assert.That(run.Failures.Single().Reason, Does.Contain("64 levels"));
    }

    [Test]
    public void What_nests_too_deep_for_one_fails_its_row()
    {
        var deep = "{\"v\":" + string.Concat(Enumerable.Repeat("{\"a\":", 66)) + "1" + new string('}', 67);
        var run = OverJson(With("Length"), "SELECT v.a.a.a.a AS w, UDF.Length(v) AS x FROM telemetry", deep);
        Assert.That(run.Failures.Single().Code, Is.EqualTo("SQ-0109"));
    }

    [TestCase("No.dll::A.B", "EX-0001")]
    [TestCase("only", "EX-0001")]
    [TestCase("{this}::Nothing.At.All", "EX-0001")]
    [TestCase("{this}::Millrace.Extensions.Tests.Fleet.Missing", "EX-0001")]
    [TestCase("{this}::Millrace.Extensions.Tests.Fleet.Later", "EX-0002")]
    [TestCase("{this}::Millrace.Extensions.Tests.Fleet.Frame", "EX-0002")]
    [TestCase("{this}::Millrace.Extensions.Tests.FunctionTests.Values_go_in_and_come_out", "EX-0002")]
    public void What_is_no_function_is_told_at_start(string reference, string code)
    {
        var options = new QueryExtensionOptions
        {
            Functions = { ["f"] = reference.Replace("{this}", typeof(Fleet).Assembly.Location) },
        };
        Assert.That(() => OverJson(options, "SELECT 1 AS x FROM telemetry"),
            Throws.TypeOf<MillraceException>().With.Message.StartsWith(code));
    }

    [Test]
    public void A_name_that_no_query_could_write_is_refused() => Assert.That(
        () => OverJson(new QueryExtensionOptions { Functions = { ["a b"] = Method("Not") } }, "SELECT 1 AS x FROM t"),
        Throws.TypeOf<MillraceException>().With.Message.StartsWith("EX-0004"));

    private static QueryExtensionOptions With(params string[] methods) => new()
    {
        Functions = methods.ToDictionary(method => method, Method),
        FunctionTimeout = TimeSpan.FromSeconds(30),
    };
}
