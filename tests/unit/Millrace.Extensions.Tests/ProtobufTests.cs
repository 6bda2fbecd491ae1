using CsCheck;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Millrace.Extensions.Protobuf;
using Millrace.Primitives;
using Millrace.TestKit;
using static Google.Protobuf.Reflection.FieldDescriptorProto.Types;
using static Millrace.Extensions.Tests.ExtendedRun;
using ScalarType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;
using Text = System.Text.Encoding;

namespace Millrace.Extensions.Tests;

/// <summary>Protobuf bodies by descriptors, against messages that Google's own library writes.</summary>
public class ProtobufTests
{
    private static readonly ScalarType[] Scalars =
    [
        ScalarType.Double, ScalarType.Float, ScalarType.Int64, ScalarType.Uint64, ScalarType.Int32, ScalarType.Fixed64,
        ScalarType.Fixed32, ScalarType.Bool, ScalarType.String, ScalarType.Bytes, ScalarType.Uint32,
        ScalarType.Sfixed32, ScalarType.Sfixed64, ScalarType.Sint32, ScalarType.Sint64,
    ];

    [Test]
    public void Every_scalar_reads_as_it_was_written()
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream))
        {
            for (var number = 1; number <= Scalars.Length; number++) Write(output, number, Scalars[number - 1]);
        }

        Assert.That(Json(Readings(), stream.ToArray()), Is.EqualTo(
            """{"f1":-1.5,"f2":20.1,"f3":-3,"f4":18446744073709551615,"f5":-5,"f6":6,"f7":""" +
            """7,"f8":true,"f9":"é","f10":"Cg==","f11":4294967295,"f12":""" +
            """-12,"f13":-13,"f14":-14,"f15":-15,"many":[]}"""));
    }

    [Test]
    public void What_a_sender_left_out_for_its_default_is_there() => Assert.That(Json(Readings(), []), Is.EqualTo(
        """{"f1":0.0,"f2":0.0,"f3":0,"f4":0,"f5":0,"f6":0,"f7":0,"f8":false,"f9":"","f10":"","f11":0,"f12":""" +
        """0,"f13":0,"f14":0,"f15":0,"many":[]}"""));

    [Test]
    public void Packed_and_unpacked_lists_are_the_same()
    {
        byte[] packed = [0x82, 0x06, 3, 1, 0x96, 0x01];
        byte[] single = [0x80, 0x06, 1, 0x80, 0x06, 0x96, 0x01];
        Assert.That(Json(Readings(), packed), Does.EndWith("many\":[1,150]}"));
        Assert.That(Json(Readings(), single), Does.EndWith("many\":[1,150]}"));
    }

    [Test]
    public void Nested_messages_enums_maps_and_well_known_ones()
    {
        var value = new Struct
        {
            Fields =
            {
                ["n"] = Value.ForNumber(1.5), ["s"] = Value.ForString("x"), ["z"] = Value.ForNull(),
                ["l"] = Value.ForList(Value.ForBool(true), Value.ForStruct(new Struct())),
            },
        };
        Assert.That(ProtobufText(Struct.Descriptor, value), Is.EqualTo("""{"n":1.5,"s":"x","z":null,"l":[true,{}]}"""));
        Assert.That(ProtobufText(Timestamp.Descriptor, new Timestamp { Seconds = 1, Nanos = 500_000_000 }),
            Is.EqualTo("\"1970-01-01T00:00:01.5Z\""));
        Assert.That(ProtobufText(Duration.Descriptor, new Duration { Seconds = -1, Nanos = -500_000_000 }),
            Is.EqualTo("\"-1.5s\""));
        var api = new Api
        {
            Name = "a",
            Syntax = Google.Protobuf.WellKnownTypes.Syntax.Proto3,
            SourceContext = new SourceContext { FileName = "f" },
            Methods = { new Method { Name = "m", RequestStreaming = true } },
        };
        Assert.That(ProtobufText(Api.Descriptor, api), Does.StartWith("""{"name":"a","methods":[{"name":"m",""")
            .And.Contain("request_streaming\":true").And.Contain("source_context\":{\"file_name\":\"f\"}")
            .And.Contain("syntax\":\"SYNTAX_PROTO3\""));
    }

    [Test]
    public void Bytes_of_chance_are_refused_with_a_reason_or_read() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        try
        {
            const string Type = "application/x-protobuf; message=fleet.Reading";
            return new ProtobufDecoder(Messages()).ToJson(bytes, Type).Length > 0;
        }
        catch (FormatException refused)
        {
            return refused.Message.Length > 0;
        }
    }, iter: 5_000);

    [Test]
    public void A_small_body_that_says_many_defaults_is_refused_before_it_fills_the_memory()
    {
        // An Api with two hundred thousand methods of nothing: two bytes each.
        var body = Enumerable.Repeat<byte[]>([0x12, 0], 200_000).SelectMany(bytes => bytes).ToArray();
        Assert.That(() => Json(Api.Descriptor, body), Throws.TypeOf<FormatException>().With.Message.Contains("JSON"));
    }

    [TestCase(253_402_300_799, 2_000_000_000)]
    [TestCase(-62_135_596_800, -1_000)]
    [TestCase(0, -1)]
    [TestCase(0, 1_000_000_000)]
    public void A_time_whose_nanoseconds_are_none_is_refused(long seconds, int nanos) => Assert.That(
        () => ProtobufText(Timestamp.Descriptor, new Timestamp { Seconds = seconds, Nanos = nanos }),
        Throws.TypeOf<FormatException>().With.Message.Contains("nanoseconds"));

    [Test]
    public void A_list_has_a_most_of_values()
    {
        Assert.That(Json(Readings(), Packed(500_000)), Does.EndWith(",1,1]}"));
        Assert.That(() => Json(Readings(), Packed(500_001)),
            Throws.TypeOf<FormatException>().With.Message.Contains("500000 values"));

        static byte[] Packed(int count)
        {
            using var stream = new MemoryStream();
            using (var output = new CodedOutputStream(stream))
            {
                output.WriteTag(96, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(ByteString.CopyFrom([.. Enumerable.Repeat<byte>(1, count)]));
            }

            return stream.ToArray();
        }
    }

    [Test]
    public void A_query_reads_them_by_a_registered_descriptor()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "fleet.binpb");
        File.WriteAllBytes(file, Set().ToByteArray());
        var options = new QueryExtensionOptions
        {
            Descriptors = { file },
            ContentTypes = { ["telemetry"] = "application/x-protobuf; message=fleet.Reading" },
        };
        byte[] body = [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F];
        var run = Over(options, "SELECT f1, f9, nothing FROM telemetry WHERE f1 > 1", ("", body),
            ("application/protobuf;message=\"fleet.Reading\"", body), ("application/x-protobuf; message=no.Such", body),
            ("application/x-protobuf", body), ("application/x-protobuf; message=fleet.Reading", [0x09, 1]));
        Assert.That(run.Rows, Is.EqualTo(new[]
        {
            """{"f1":1.5,"f9":"","nothing":null}""", """{"f1":1.5,"f9":"","nothing":null}""",
        }));
        Assert.That(run.Failures.Select(failure => failure.Code), Is.EqualTo(Enumerable.Repeat("SQ-0101", 3)));
        Assert.That(string.Concat(run.Failures.Select(failure => failure.Reason)),
            Does.Contain("no.Such").And.Contain("names no message").And.Contain("no fleet.Reading"));
    }

    [Test]
    public void A_file_that_is_no_set_of_descriptors_is_refused()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "fleet.binpb");
        File.WriteAllText(file, "no descriptors");
        Assert.That(() => Over(new QueryExtensionOptions { Descriptors = { file } }, "SELECT 1 AS x FROM t"),
            Throws.TypeOf<MillraceException>().With.Message.StartsWith("EX-0003"));
        Assert.That(() => Over(new QueryExtensionOptions { Descriptors = { file + "2" } }, "SELECT 1 AS x FROM t"),
            Throws.TypeOf<MillraceException>().With.Message.StartsWith("EX-0003"));
    }

    private static FileDescriptorSet Set()
    {
        var message = new DescriptorProto { Name = "Reading" };
        for (var number = 1; number <= Scalars.Length; number++)
            message.Field.Add(Field($"f{number}", number, Scalars[number - 1], Label.Optional));
        message.Field.Add(Field("many", 96, ScalarType.Int32, Label.Repeated));
        var file = new FileDescriptorProto { Name = "fleet.proto", Package = "fleet", Syntax = "proto3" };
        file.MessageType.Add(message);
        return new FileDescriptorSet { File = { file } };
    }

    private static FieldDescriptorProto Field(string name, int number, ScalarType type, Label label) =>
        new() { Name = name, Number = number, Type = type, Label = label };

    private static Dictionary<string, MessageDescriptor> Messages() => FileDescriptor
        .BuildFromByteStrings(Set().File.Select(file => file.ToByteString()))[0].MessageTypes
        .ToDictionary(message => message.FullName);

    private static MessageDescriptor Readings() => Messages()["fleet.Reading"];

    private static string Json(MessageDescriptor message, byte[] body) =>
        Text.UTF8.GetString(ProtobufJson.Of(message, body));

    private static string ProtobufText(MessageDescriptor descriptor, IMessage message) =>
        Json(descriptor, message.ToByteArray());

    private static void Write(CodedOutputStream output, int number, ScalarType type)
    {
        output.WriteTag(number, Protobuf.Scalars.WireType(System.Enum.Parse<FieldType>(type.ToString(), true)));
        switch (type)
        {
            case ScalarType.Double: output.WriteDouble(-1.5); break;
            case ScalarType.Float: output.WriteFloat(20.1f); break;
            case ScalarType.Int64: output.WriteInt64(-3); break;
            case ScalarType.Uint64: output.WriteUInt64(ulong.MaxValue); break;
            case ScalarType.Int32: output.WriteInt32(-5); break;
            case ScalarType.Fixed64: output.WriteFixed64(6); break;
            case ScalarType.Fixed32: output.WriteFixed32(7); break;
            case ScalarType.Bool: output.WriteBool(true); break;
            case ScalarType.String: output.WriteString("é"); break;
            case ScalarType.Bytes: output.WriteBytes(ByteString.CopyFrom(10)); break;
            case ScalarType.Uint32: output.WriteUInt32(uint.MaxValue); break;
            case ScalarType.Sfixed32: output.WriteSFixed32(-12); break;
            case ScalarType.Sfixed64: output.WriteSFixed64(-13); break;
            case ScalarType.Sint32: output.WriteSInt32(-14); break;
            default: output.WriteSInt64(-15); break;
        }
    }
}
