using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql.Extensions;

namespace Millrace.Saql.Tests;

/// <summary>Bodies of several formats, as records with the headers that say so.</summary>
public class DecodingTests
{
    private static readonly TopicPartition Zero = new("telemetry", 0);

    [Test]
    public void Packed_JSON_is_unpacked()
    {
        var json = Encoding.UTF8.GetBytes("""[{"x":1},{"x":"é"}]""");
        Assert.That(Rows(Packed(json, s => new GZipStream(s, CompressionLevel.Fastest)), "application/json", "gzip"),
            Is.EqualTo(new[] { """{"x":1}""", """{"x":"é"}""" }));
        Assert.That(Rows(Packed(json, s => new ZLibStream(s, CompressionLevel.Fastest)), "application/json", "deflate"),
            Is.EqualTo(new[] { """{"x":1}""", """{"x":"é"}""" }));
        Assert.That(
            Rows(Packed(json, s => new DeflateStream(s, CompressionLevel.Fastest)), "application/json", "deflate"),
            Is.EqualTo(new[] { """{"x":1}""", """{"x":"é"}""" }));
    }

    [Test]
    public void A_line_of_CSV_is_a_row() => Assert.That(
        Rows(Encoding.UTF8.GetBytes("x,y\r\n1,\"a \"\"b\"\"\"\n2.5,\n007,true\n"), "text/csv; charset=utf-8"),
        Is.EqualTo(new[]
        {
            """{"x":1,"y":"a \"b\""}""", """{"x":2.5,"y":null}""", """{"x":"007","y":true}""",
        }));

    [TestCase("text/csv; delimiter=semicolon", ';')]
    [TestCase("text/csv;charset=utf-8;delimiter=\";\"", ';')]
    [TestCase("Text/CSV; Delimiter=Tab", '\t')]
    [TestCase("text/csv; delimiter=\"\\t\"", '\t')]
    [TestCase("text/csv; delimiter=space", ' ')]
    [TestCase("text/csv; delimiter=pipe", '|')]
    [TestCase("text/csv; delimiter=|", '|')]
    [TestCase("text/csv; delimiter=comma", ',')]
    [TestCase("text/tab-separated-values", '\t')]
    [TestCase("text/tab-separated-values; delimiter=comma", ',')]
    public void Fields_of_CSV_are_separated_by_what_the_content_type_says(string contentType, char separator)
    {
        var others = ",;|".Replace(separator.ToString(), "", StringComparison.Ordinal);
        var lines = $"x{separator}y\n1{separator}\"a{separator}\"\n2{separator}{others}";
        Assert.That(Rows(Encoding.UTF8.GetBytes(lines), contentType),
            Is.EqualTo(new[]
            {
                $$"""{"x":1,"y":"a{{(separator == '\t' ? "\\t" : separator)}}"}""", $$"""{"x":2,"y":"{{others}}"}""",
            }));
    }

    [TestCase("text/csv; delimiter=")]
    [TestCase("text/csv; delimiter=;")]
    [TestCase("text/csv; delimiter=ab")]
    [TestCase("text/csv; delimiter=1")]
    [TestCase("text/csv; delimiter=\"\"\"")]
    public void A_delimiter_that_is_none_fails_the_record(string contentType) =>
        Assert.That(Run("x,y\n1,2"u8.ToArray(), contentType, "").Failures.Single().Reason, Does.Contain("delimiter"));

    [Test]
    public void CBOR_has_the_same_fields_as_JSON()
    {
        // {"x": -5, "y": [1.5, true, null, h'01'], 3: "é"} with an array of indefinite length.
        byte[] cbor =
        [
            0xA3, 0x61, (byte)'x', 0x24, 0x61, (byte)'y', 0x9F, 0xF9, 0x3E, 0x00, 0xF5, 0xF6, 0x41, 0x01, 0xFF, 0x03,
            0x62, 0xC3, 0xA9,
        ];
        Assert.That(Rows(cbor, "application/cbor"),
            Is.EqualTo(new[] { """{"x":-5,"y":[1.5,true,null,"AQ=="],"3":"é"}""" }));
    }

    [Test]
    public void Avro_brings_its_schema()
    {
        const string schema = """
            {"type":"record","name":"r","fields":[{"name":"x","type":"long"},{"name":"y","type":["null","string"]},
            {"name":"z","type":{"type":"array","items":"double"}},{"name":"k","type":{"type":"enum","name":"e",
            "symbols":["A","B"]}}]}
            """;
        // Two records: (3, null, [], B) and (-300, "é", [1.5], A).
        byte[] block = [6, 0, 0, 2, 0xD7, 4, 2, 4, 0xC3, 0xA9, 2, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0];
        Assert.That(Rows(AvroFile.Of(schema, 2, block), "avro/binary"), Is.EqualTo(new[]
        {
            """{"x":3,"y":null,"z":[],"k":"B"}""", """{"x":-300,"y":"é","z":[1.5],"k":"A"}""",
        }));
    }

    [Test]
    public void A_name_of_an_Avro_schema_is_known_before_it_is_read_and_has_its_namespace()
    {
        const string schema = """
            {"type":"record","name":"fleet.r","fields":[
            {"name":"a","type":["null",{"type":"record","name":"in.ner","fields":[{"name":"n","type":"long"}]},
            {"type":"enum","name":"e","symbols":["A","B"]}]},
            {"name":"b","type":"in.ner"},{"name":"c","type":"e"},{"name":"d","type":["null","fleet.r"]}]}
            """;
        // The branch of the first field that defines the others is not taken.
        Assert.That(Rows(AvroFile.Of(schema, 1, [0, 14, 2, 0]), "avro/binary"),
            Is.EqualTo(new[] { """{"a":null,"b":{"n":7},"c":"B","d":null}""" }));
    }

    [Test]
    public void A_small_body_that_says_gigabytes_fails_its_record()
    {
        const string nothing = """{"type":"record","name":"r","fields":[]}""";
        var names = "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"" + new string('n', 200) +
            "\",\"type\":\"null\"}]}";
        var head = new string('x', 50_000);
        var csv = Encoding.UTF8.GetBytes(head + "\n" + string.Concat(Enumerable.Repeat("1\n", 1_000)));
        // A map that is the key of a map, forty times over: each doubles the escapes of the text in the middle.
        byte[] keys = [.. Enumerable.Repeat<byte>(0xA1, 40), 0x61, (byte)'"', .. Enumerable.Repeat<byte>(1, 40)];
        const string tooLong = "It becomes more than 16777216 bytes of JSON.";
        const string tooMany = "The Avro has more items that take no bytes than 100000.";
        foreach (var (body, type, why) in new[]
        {
            (AvroFile.Of(nothing, long.MaxValue, []), "avro/binary", tooMany),
            (AvroFile.Of(names, 90_000, []), "avro/binary", tooLong),
            (csv, "text/csv", tooLong), (keys, "application/cbor", tooLong),
        })
        {
            var failure = Run(body, type, "").Failures.Single();
            Assert.That(failure.Code, Is.EqualTo("SQ-0101"));
            Assert.That(failure.Reason, Does.EndWith(why), type);
        }
    }

    [Test]
    public void Whatever_is_cut_off_or_changed_fails_its_record_and_throws_nothing()
    {
        var packed = Packed(Encoding.UTF8.GetBytes("""{"x":1}"""), s => new GZipStream(s, CompressionLevel.Fastest));
        byte[] cbor = [0xA1, 0x61, (byte)'x', 0x82, 0x01, 0xFB, 0, 0, 0, 0, 0, 0, 0, 0];
        const string schema = """
            {"type":"record","name":"r","fields":[{"name":"x","type":"long"},{"name":"y","type":["null","r"]},
            {"name":"z","type":{"type":"map","values":"float"}},{"name":"k","type":{"type":"enum","name":"e",
            "symbols":["A","B"]}}]}
            """;
        byte[] avro = AvroFile.Of(schema, 1, [6, 2, 8, 0, 0, 2, 2, 2, (byte)'a', 0, 0, 0, 0, 0, 2]);
        var csv = Encoding.UTF8.GetBytes("x,\"y\"\r\n1,\"a \"\"b\"\"\"");
        var random = new Random(3);
        foreach (var (body, type, encoding) in new[]
        {
            (packed, "application/json", "gzip"), (cbor, "application/cbor", ""), (avro, "avro/binary", ""),
            (csv, "text/csv", ""),
        })
        {
            for (var length = 0; length < body.Length; length++)
            {
                var run = Run(body[..length], type, encoding);
                // A head without anything behind it is whole.
                Assert.That(run.Failures.Count + run.Rows.Count,
                    type is "text/csv" or "avro/binary" ? Is.LessThan(2) : Is.EqualTo(1), $"{type} {length}");
            }

            for (var i = 0; i < 2_000; i++)
            {
                var changed = body.ToArray();
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
                Assert.DoesNotThrow(() => Run(changed, type, encoding));
            }
        }

        Assert.That(Run([1, 2], "application/json", "br").Failures.Single().Reason, Does.Contain("'br'"));
    }

    [TestCase("gzip", false)]
    [TestCase("gzip", true)]
    [TestCase("deflate", false)]
    [TestCase("raw", false)]
    public void A_packed_body_that_was_cut_off_anywhere_fails_its_record(string format, bool isTwice)
    {
        var numbers = Enumerable.Range(0, 500).Select(i => i * 7919 % 1009);
        var json = Encoding.UTF8.GetBytes($"[{string.Join(',', numbers)}]");
        var packed = format switch
        {
            "gzip" => Packed(json, s => new GZipStream(s, CompressionLevel.Fastest)),
            "deflate" => Packed(json, s => new ZLibStream(s, CompressionLevel.Fastest)),
            _ => Packed(json, s => new DeflateStream(s, CompressionLevel.Fastest)),
        };
        var whole = packed;
        var encoding = format == "raw" ? "deflate" : format;
        if (isTwice) whole = [.. Packed(" "u8.ToArray(), s => new GZipStream(s, CompressionLevel.Fastest)), .. packed];
        var failures = Run(whole, "application/json", encoding).Failures;
        Assert.That(failures, Has.Count.EqualTo(500), "no element is an object");
        for (var cut = 1; cut < packed.Length; cut++)
        {
            var failure = Run(whole[..^cut], "application/json", encoding).Failures.Single();
            Assert.That((failure.Code, failure.Reason),
                Is.EqualTo(("SQ-0101", "The body cannot be decoded. It is damaged: it cannot be unpacked.")), $"{cut}");
        }
    }

    [Test]
    public void A_body_with_a_dictionary_of_its_own_fails_its_record() => Assert.That(
        Run([0x78, 0x20, 0, 0, 0, 1], "application/json", "deflate").Failures.Single().Code, Is.EqualTo("SQ-0101"));

    [Test]
    public void A_CSV_has_a_most_of_columns()
    {
        var head = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"c{i}"));
        Assert.That(Run(Encoding.UTF8.GetBytes(head + "\n1"), "text/csv", "").Rows, Has.Count.EqualTo(1));
        Assert.That(Run(Encoding.UTF8.GetBytes(head + ",x\n1"), "text/csv", "").Failures.Single().Reason,
            Does.Contain("10000 columns"));
        Assert.That(Run("a,b\n1,2,3"u8.ToArray(), "text/csv", "").Failures.Single().Reason,
            Does.Contain("more fields than the head, which has 2"));
    }

    [Test]
    public void A_byte_order_mark_is_no_part_of_a_body()
    {
        Assert.That(Rows("\uFEFF{\"x\":1}"u8.ToArray(), ""), Is.EqualTo(new[] { """{"x":1}""" }));
        Assert.That(Rows("\uFEFF[{\"x\":1}]"u8.ToArray(), "application/json"), Is.EqualTo(new[] { """{"x":1}""" }));
        Assert.That(Rows("\uFEFF{\"x\":1}\n{\"x\":2}"u8.ToArray(), "application/x-ndjson"),
            Is.EqualTo(new[] { """{"x":1}""", """{"x":2}""" }));
        var packed = Packed("\uFEFF{\"x\":1}"u8.ToArray(), s => new GZipStream(s, CompressionLevel.Fastest));
        Assert.That(Rows(packed, "", "gzip"), Is.EqualTo(new[] { """{"x":1}""" }));
    }

    [TestCase("""{"x":12345678901234567890}""", "A number in it fits neither a bigint nor a float.")]
    [TestCase("""{"x":1e400}""", "A number in it fits neither a bigint nor a float.")]
    [TestCase("""{"x":1""", "It is no valid JSON object.")]
    [TestCase("""[{"x":1e400}]""", "A number in element 0 of the array fits neither a bigint nor a float.")]
    [TestCase("[7]", "Element 0 of the array is no JSON object.")]
    public void The_reason_says_what_is_wrong_with_a_body(string body, string reason) => Assert.That(
        Run(Encoding.UTF8.GetBytes(body), "", "", "SELECT x FROM telemetry").Failures.Single().Reason,
        Does.EndWith(reason));

    [Test]
    public void Large_integers_of_CBOR_are_numbers()
    {
        // [{"x": -2^63, "y": 0}, {"x": 0, "y": -2^64}], and bignums 2^63 - 1, -2^63 and 2^64.
        byte[] head = [0xA1, 0x61, (byte)'x'];
        var eight = Enumerable.Repeat<byte>(0xFF, 7);
        Assert.That(Rows([.. head, 0x3B, 0x7F, .. eight], "application/cbor"),
            Is.EqualTo(new[] { """{"x":-9223372036854775808}""" }));
        Assert.That(Rows([.. head, 0x3B, 0xFF, .. eight], "application/cbor"),
            Is.EqualTo(new[] { """{"x":-18446744073709551616}""" }));
        Assert.That(Rows([.. head, 0xC2, 0x48, 0x7F, .. eight], "application/cbor"),
            Is.EqualTo(new[] { """{"x":9223372036854775807}""" }));
        Assert.That(Rows([.. head, 0xC3, 0x48, 0x7F, .. eight], "application/cbor"),
            Is.EqualTo(new[] { """{"x":-9223372036854775808}""" }));
        Assert.That(Rows([.. head, 0xC2, 0x49, 1, .. new byte[8]], "application/cbor"),
            Is.EqualTo(new[] { """{"x":18446744073709551616}""" }));
        Assert.That(Rows([.. head, 0xC1, 0x41, 1], "application/cbor"), Is.EqualTo(new[] { """{"x":"AQ=="}""" }));
    }

    [TestCase("9223372036854775807", "1B 7FFFFFFFFFFFFFFF", true)]
    [TestCase("9223372036854775807", "C2 48 7FFFFFFFFFFFFFFF", true)]
    [TestCase("9223372036854775808", "1B 8000000000000000", false)]
    [TestCase("18446744073709551615", "1B FFFFFFFFFFFFFFFF", false)]
    [TestCase("18446744073709551616", "C2 49 010000000000000000", false)]
    [TestCase("-9223372036854775808", "3B 7FFFFFFFFFFFFFFF", true)]
    [TestCase("-9223372036854775809", "3B 8000000000000000", false)]
    [TestCase("-18446744073709551616", "3B FFFFFFFFFFFFFFFF", false)]
    [TestCase("-18446744073709551617", "C3 49 010000000000000000", false)]
    public void An_integer_is_a_bigint_or_fails_its_record_when_it_is_read_whatever_the_body(
        string number, string cbor, bool isBigint)
    {
        var json = $"{{\"x\":{number}}}";
        foreach (var (body, type) in new[]
        {
            (Encoding.UTF8.GetBytes(json), "application/json"),
            (Encoding.UTF8.GetBytes(json), "application/x-ndjson"),
            ([0xA1, 0x61, (byte)'x', .. Convert.FromHexString(cbor.Replace(" ", ""))], "application/cbor"),
        })
        {
            Assert.That(Rows(body, type), Is.EqualTo(new[] { json }), "what is not read is written as it came");
            var run = Run(body, type, "", "SELECT x, GetType(x) AS t FROM telemetry");
            if (isBigint) Assert.That(run.Json, Is.EqualTo(new[] { $"{{\"x\":{number},\"t\":\"bigint\"}}" }), type);
            else
            {
                Assert.That(run.Rows, Is.Empty, type);
                Assert.That(run.Failures.Single().Reason, Does.EndWith("fits neither a bigint nor a float."), type);
            }
        }
    }

    [TestCase("9223372036854775807", "9223372036854775807")]
    [TestCase("9223372036854775808", "\"9223372036854775808\"")]
    [TestCase("-9223372036854775809", "\"-9223372036854775809\"")]
    [TestCase("1e400", "\"1e400\"")]
    public void A_field_of_CSV_that_fits_no_number_is_text(string field, string value) =>
        Assert.That(Run(Encoding.UTF8.GetBytes($"x\n{field}"), "text/csv", "", "SELECT x FROM telemetry").Json,
            Is.EqualTo(new[] { $"{{\"x\":{value}}}" }));

    [TestCase("9223372036854775807", true)]
    [TestCase("1e300", true)]
    [TestCase("9223372036854775808", false)]
    [TestCase("18446744073709551615", false)]
    [TestCase("1e400", false)]
    public void A_number_that_a_function_gives_as_JSON_is_held_to_the_same(string number, bool fits)
    {
        var gives = new UserFunction("Gives", [], TakesNull: false, _ => JsonElement.Parse(number));
        var plan = QueryRun.Compile("SELECT UDF.Gives() AS x FROM telemetry", new CompileOptions(
            Extensions: new QueryExtensions(
                [gives], new Dictionary<string, IBodyDecoder>(), new Dictionary<string, string>(), [])));
        var run = QueryRun.Over(plan, new Dictionary<string, IEnumerable<string>> { ["telemetry"] = ["{}"] });
        Assert.That(run.Rows, Has.Count.EqualTo(fits ? 1 : 0));
        Assert.That(run.Failures.Select(failure => failure.Code), Is.EqualTo(fits ? [] : new[] { "SQ-0103" }));
    }

    private static IEnumerable<string> Rows(byte[] body, string type, string encoding = "")
    {
        var run = Run(body, type, encoding);
        Assert.That(run.Failures, Is.Empty);
        return run.Json;
    }

    private static QueryRun Run(
        byte[] body, string type, string encoding, string query = "SELECT * FROM telemetry")
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], run);
        using var builder = new RecordBatchBuilder();
        builder.Begin(1_767_225_600_000, "d1"u8);
        builder.AddHeader(TelemetryHeaders.ContentType, Encoding.UTF8.GetBytes(type));
        if (encoding.Length > 0) builder.AddHeader(TelemetryHeaders.ContentEncoding, Encoding.UTF8.GetBytes(encoding));
        builder.End(body);
        engine.Process(new RecordBatch(Zero, 0, 1, builder.Bytes.ToArray()));
        engine.Complete();
        return run;
    }

    private static byte[] Packed(byte[] body, Func<Stream, Stream> pack)
    {
        using var target = new MemoryStream();
        using (var stream = pack(target)) stream.Write(body);
        return target.ToArray();
    }
}
