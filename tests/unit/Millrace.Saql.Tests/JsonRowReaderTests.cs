using System.Text;
using System.Text.Json;
using CsCheck;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Tests;

/// <summary>Objects that one reader reads one after the other, knowing the members of those before.</summary>
public class JsonRowReaderTests
{
    /// <summary>With the quotes and the colon, one comparison takes names of up to 29 bytes.</summary>
    private static readonly string[] Names =
    [
        "t", "T", "u", "name", "Name", "nam", "names", "\\u0074", "n\\\"", "a28_" + new string('x', 24),
        "a29_" + new string('x', 25), "a30_" + new string('x', 26), "a45_" + new string('x', 41), "",
    ];

    private static readonly string[][] Fields =
    [
        ["t"], ["name"], ["NAME"], ["names", "t"], ["name", "T"], ["u", "t"], ["u", "name"], [Names[9]], [Names[10]],
        [Names[11]], [Names[12]],
    ];

    private static readonly Gen<string> Blank = Gen.OneOfConst("", "", "", " ", "\t", "\r\n  ");

    private static readonly Gen<string> Scalar = Gen.OneOfConst(
        "0", "-1", "21.5", "1e3", "-0.25E-2", "123456789012345678", "true", "false", "null", "\"\"", "\"short\"",
        "\"of fifteen chars\"", "\"longer than what one comparison takes of a text\"", "\"\\u00e9\\n\\\\\"",
        "\"é and 中\"", "[]", "{}", "[1,[2,{\"t\":3}]]");

    private static readonly Gen<string> Objects = Gen.Recursive<string>((depth, inner) =>
    {
        var value = depth < 3 ? Gen.Frequency((4, Scalar), (1, inner)) : Scalar;
        var member = Gen.Select(Blank, Gen.OneOfConst(Names), Blank, Blank, value, Blank, (a, name, b, c, v, d) =>
            $"{a}\"{name}\"{b}:{c}{v}{d}");
        return member.Array[0, 6].Select(members => $"{{{string.Join(',', members)}}}");
    });

    /// <summary>Most are the one before again; some lack an end or have another byte somewhere.</summary>
    private static readonly Gen<byte[][]> Bodies = Gen.Select(Objects.Array[1, 4], Changed(), (texts, changes) =>
        changes.Select(change => change.Apply(Encoding.UTF8.GetBytes(texts[change.Body % texts.Length]))).ToArray());

    [Test]
    public void An_object_is_read_as_by_a_reader_that_has_met_none() => Bodies.Sample(bodies =>
    {
        var all = bodies.SelectMany(body => body).ToArray();
        var reader = new Reader();
        var at = 0;
        foreach (var body in bodies)
        {
            var apart = new Reader().Read([.. body], 0, body.Length);
            Assert.That(reader.Read(all, at, body.Length), Is.EqualTo(apart), Encoding.UTF8.GetString(body));
            at += body.Length;
        }
    }, iter: 1000);

    [Test]
    public void What_is_no_JSON_is_refused() => Bodies.Sample(bodies =>
    {
        var reader = new Reader(reads: []);
        foreach (var body in bodies)
        {
            var isRead = reader.Read(body, 0, body.Length) is not null;
            Assert.That(isRead, Is.EqualTo(IsObject(body)), Encoding.UTF8.GetString(body));
        }
    }, iter: 1000);

    private static bool IsObject(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Gen<Change[]> Changed() =>
        Gen.Select(Gen.Int[0, 3], Gen.Frequency((6, Gen.Const(0)), (1, Gen.Const(1)), (1, Gen.Const(2))),
            Gen.Int[0, 500], Gen.OneOfConst((byte)'"', (byte)'\\', (byte)',', (byte)'}', (byte)'0', (byte)'x',
                (byte)'\n', (byte)'.', (byte)'e', (byte)'-', (byte)' ', (byte)':', (byte)'T'),
            (body, kind, at, octet) => new Change(body, kind, at, octet)).Array[1, 12];

    private sealed record Change(int Body, int Kind, int At, byte Octet)
    {
        public byte[] Apply(byte[] body)
        {
            if (Kind == 1) return body[..(At % body.Length)];
            if (Kind == 2 && body[At % body.Length] < 0x80) body[At % body.Length] = Octet;
            return body;
        }
    }

    private sealed class Reader
    {
        private readonly TextArena _arena = new();
        private readonly Value[] _slots;
        private readonly JsonRowReader _reader;

        public Reader(string[][]? reads = null)
        {
            var root = new FieldNode("");
            var count = 0;
            foreach (var path in reads ?? Fields) root.Require(path, () => count++);
            _slots = new Value[count];
            _reader = new JsonRowReader(root, _slots, _arena);
        }

        /// <summary>What was read, as text; null when it was refused.</summary>
        public string? Read(byte[] array, int start, int length) =>
            _reader.TryRead(array, start, length) ? string.Join('|', _slots.Select(Text)) : null;

        private static string Text(Value value) =>
            $"{value.Kind} {(value.HasBytes ? Encoding.UTF8.GetString(value.Utf8) : value.Bits)}";
    }
}
