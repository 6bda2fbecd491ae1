using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Extensions;
using Millrace.Saql.Files;

namespace Millrace.Saql.Tests;

/// <summary>Files of a run that are not JSON lines.</summary>
public class InputFormatsTests
{
    private static readonly QueryExtensions OfCsv = new([], new Dictionary<string, IBodyDecoder>(),
        new Dictionary<string, string> { ["telemetry"] = "Text/CSV; header=present" }, []);

    [TestCase("[{\"x\": 1},\n {\"x\":2}]", "{\"x\":1}\n{\"x\":2}\n")]
    [TestCase("{\n  \"x\": 1\n}\n{\n  \"x\": \"a b\"\n}", "{\"x\":1}\n{\"x\":\"a b\"}\n")]
    [TestCase("{\"x\":1}\n\n{\"x\":2}\n", "{\"x\":1}\n{\"x\":2}\n")]
    [TestCase("\uFEFF[ ]", "")]
    [TestCase("[{\"x\":1}]\n[{\"x\":2},7]", "{\"x\":1}\n{\"x\":2}\n7\n")]
    [TestCase("{\"x\":1}\n{\"x\":", "{\"x\":1}\n{\"x\":", Description = "what is no JSON is told by its line")]
    [TestCase("[{\"x\":1}", "[{\"x\":1}")]
    public void JSON_is_an_object_a_line_an_array_or_over_several_lines(string file, string lines)
    {
        Assert.That(InputFormats.IsOther(".json", QueryExtensions.None, "telemetry"), Is.True);
        Assert.That(Lines(file, ".json", QueryExtensions.None), Is.EqualTo(lines));
    }

    [Test]
    public void A_file_of_another_ending_is_of_the_content_type_of_its_input()
    {
        Assert.That(InputFormats.IsOther(".log", OfCsv, "telemetry"), Is.True);
        Assert.That(InputFormats.IsUntyped(".log", OfCsv, "telemetry"), Is.True);
        Assert.That(Lines("x,y\n1,a\n", ".log", OfCsv), Is.EqualTo("{\"x\":1,\"y\":\"a\"}\n"));
        Assert.That(InputFormats.IsOther(".jsonl", OfCsv, "telemetry"), Is.False, "the name says lines");
        Assert.That(InputFormats.IsOther(".log", QueryExtensions.None, "telemetry"), Is.False);
        Assert.That(InputFormats.IsUntyped(".json", OfCsv, "telemetry"), Is.False);
    }

    [Test]
    public void A_table_over_a_file_of_CSV_takes_its_text_as_the_types_of_its_columns()
    {
        var plan = QueryRun.Compile("CREATE TABLE telemetry (n bigint, s nvarchar(max)); SELECT * FROM telemetry");
        Assert.That(Rows(isUntyped: true), Is.EqualTo(new[] { """{"n":5,"s":"7"}""" }));
        Assert.That(Rows(isUntyped: false), Is.Empty);

        IEnumerable<string> Rows(bool isUntyped)
        {
            var run = new QueryRun(plan);
            var source = new Contracts.TopicPartition("telemetry", 0);
            using var builder = new Contracts.RecordBatchBuilder();
            FileLine.Append("""{"n":"5","s":7}"""u8, _ => builder, out _, isUntyped);
            new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", source, 0)], run)
                .Process(new Contracts.RecordBatch(source, 0, 1, builder.Bytes.ToArray()));
            return run.Json;
        }
    }

    [Test]
    public void A_row_that_nests_too_deep_is_told_and_does_not_hold_up_the_run()
    {
        byte[] deep = [0x81, .. Enumerable.Repeat((byte)0x81, 64), 0x01];
        var told = Assert.Throws<MillraceException>(() =>
            InputFormats.ToLines(deep, ".cbor", QueryExtensions.None, "telemetry"));
        Assert.That(told!.Error.Code, Is.EqualTo("SQ-0301"));
    }

    private static string Lines(string file, string ending, QueryExtensions extensions) => Encoding.UTF8.GetString(
        InputFormats.ToLines(Encoding.UTF8.GetBytes(file), ending, extensions, "telemetry"));
}
