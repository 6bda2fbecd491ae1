using System.Net;
using System.Numerics;
using CsCheck;
using Millrace.Cql.Types;
using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Types;

/// <summary>Every type, there and back, and as the specification's section 5 lays it out.</summary>
[Category("Samples")]
public class CodecTests
{
    private static readonly Gen<BigInteger> BigIntegers = Gen.Byte.Array[0, 40].Select(bytes => new BigInteger(bytes));

    private static readonly Gen<DateTimeOffset> Timestamps = Gen.Long[
        DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()]
        .Select(DateTimeOffset.FromUnixTimeMilliseconds);

    private static readonly Gen<IPAddress> Addresses = Gen.OneOf(Gen.Byte.Array[4], Gen.Byte.Array[16])
        .Select(bytes => new IPAddress(bytes));

    [Test]
    public void Scalars_come_back_as_they_were()
    {
        RoundTrip(Gen.String, CqlTypeCode.Text);
        RoundTrip(Gen.Char[' ', '~'].Array.Select(chars => new string(chars)), CqlTypeCode.Ascii);
        RoundTrip(Gen.Byte.Array, CqlTypeCode.Blob);
        RoundTrip(Gen.Bool, CqlTypeCode.Boolean);
        RoundTrip(Gen.SByte, CqlTypeCode.Tinyint);
        RoundTrip(Gen.Short, CqlTypeCode.Smallint);
        RoundTrip(Gen.Int, CqlTypeCode.Int);
        RoundTrip(Gen.Long, CqlTypeCode.Bigint);
        RoundTrip(Gen.Long, CqlTypeCode.Counter);
        RoundTrip(Gen.Float, CqlTypeCode.Float);
        RoundTrip(Gen.Double, CqlTypeCode.Double);
        RoundTrip(Gen.Guid, CqlTypeCode.Uuid);
        RoundTrip(Gen.Guid, CqlTypeCode.Timeuuid);
        RoundTrip(Addresses, CqlTypeCode.Inet);
        RoundTrip(BigIntegers, CqlTypeCode.Varint);
        RoundTrip(Gen.Decimal, CqlTypeCode.Decimal);
        RoundTrip(Gen.Select(BigIntegers, Gen.Int[-1000, 1000], (n, scale) => new CqlDecimal(n, scale)),
            CqlTypeCode.Decimal);
        RoundTrip(Timestamps, CqlTypeCode.Timestamp);
        RoundTrip(Timestamps.Select(time => time.UtcDateTime), CqlTypeCode.Timestamp);
        RoundTrip(Gen.Int[0, DateOnly.MaxValue.DayNumber].Select(DateOnly.FromDayNumber), CqlTypeCode.Date);
        RoundTrip(Gen.Long[0, TimeOnly.MaxValue.Ticks].Select(ticks => new TimeOnly(ticks)), CqlTypeCode.Time);
    }

    [Test]
    public void Collections_come_back_as_they_were()
    {
        var ints = new CqlType(CqlTypeCode.List, new CqlType(CqlTypeCode.Int));
        RoundTrip(Gen.Int.Array, ints);
        RoundTrip(Gen.Int.List, ints);
        RoundTrip(Gen.String.HashSet, new CqlType(CqlTypeCode.Set, new CqlType(CqlTypeCode.Text)));
        RoundTrip(Gen.Dictionary(Gen.String, Gen.Double),
            new CqlType(CqlTypeCode.Map, new CqlType(CqlTypeCode.Text), new CqlType(CqlTypeCode.Double)));
        RoundTrip(Gen.Int.List.List, new CqlType(CqlTypeCode.List, ints));
        RoundTrip(Gen.Int.Nullable(), new CqlType(CqlTypeCode.Int));
    }

    [Test]
    public void Tuples_come_back_as_they_were_also_with_nulls()
    {
        var type = new CqlType(CqlTypeCode.Tuple, new CqlType(CqlTypeCode.Int), new CqlType(CqlTypeCode.Text));
        RoundTrip(Gen.Select(Gen.Int, Gen.String, (n, text) => (n, text)), type);
        RoundTrip(Gen.Select(Gen.Int.Nullable(), Gen.String, (n, text) => (n, text)), type);
        RoundTrip(Gen.Select(Gen.Int, Gen.String.Null(), (n, text) => new object?[] { n, text }), type);

        var withNull = Encode(((int?)null, "a"), type);
        Assert.That(Decode<(int?, string)>(withNull, type), Is.EqualTo(((int?)null, "a")));
        Assert.That(Code(() => Decode<(int, string)>(withNull, type)), Is.EqualTo("CQ-9009"), "no int is null");
    }

    [Test]
    public void An_address_is_one_whatever_class_of_dotnet_it_is_of()
    {
        // That of Loopback is below IPAddress.
        var inet = new CqlType(CqlTypeCode.Inet);
        var pair = new CqlType(CqlTypeCode.Tuple, inet, inet);
        byte[] loopback = [127, 0, 0, 1];
        Assert.That(Encode<object>(IPAddress.Loopback, inet), Is.EqualTo(loopback));
        Assert.That(Decode<object?[]>(Encode<object?[]>([IPAddress.Loopback, IPAddress.Any], pair), pair),
            Is.EqualTo(new object[] { IPAddress.Loopback, IPAddress.Any }));
        var buffer = new WireBuffer();
        SimpleValue.Write(buffer, IPAddress.Loopback);
        Assert.That(buffer.Written[4..].ToArray(), Is.EqualTo(loopback));
    }

    [Test]
    public void Udts_come_back_by_the_names_of_their_fields()
    {
        var place = Place();
        RoundTrip(Gen.Select(Gen.Double, Gen.String.Null(),
            (at, name) => new Dictionary<string, object?> { ["at"] = at, ["name"] = name }), place);

        var shorter = Encode(new Dictionary<string, object?> { ["at"] = 1.5 }, place)[..^4];
        Assert.That(Decode<Dictionary<string, object?>>(shorter, place)["name"], Is.Null, "a field added later");
        var unknown = new Dictionary<string, object?> { ["height"] = 1 };
        Assert.That(Code(() => Encode(unknown, place)), Is.EqualTo("CQ-9007"));
    }

    [Test]
    public void Anything_can_be_read_as_an_object_of_its_natural_type()
    {
        Same(1, CqlTypeCode.Int);
        Same("text", CqlTypeCode.Text);
        Same(new CqlDecimal(15, 1), CqlTypeCode.Decimal);
        var list = new CqlType(CqlTypeCode.List, Place());
        var read = (List<Dictionary<string, object?>>)Decode<object>(Encode<object>(
            new List<Dictionary<string, object?>> { new() { ["at"] = 2.5, ["name"] = "x" } }, list), list);
        Assert.That(read[0], Is.EqualTo(new Dictionary<string, object?> { ["at"] = 2.5, ["name"] = "x" }));

        Same("", CqlTypeCode.Text);
        Same(Array.Empty<byte>(), CqlTypeCode.Blob);
        Assert.That(Decode<object?>([], new CqlType(CqlTypeCode.Int)), Is.Null, "what old servers left as empty");
        var blob = new CqlType(CqlTypeCode.Blob);
        Assert.That(Decode<ReadOnlyMemory<byte>?>([], blob)!.Value.Length, Is.Zero);

        static void Same(object value, CqlTypeCode code)
        {
            var type = new CqlType(code);
            Assert.That(Decode<object>(Encode(value, type), type), Is.EqualTo(value));
        }
    }

    // From the specification, and from what Cassandra's own types make.
    [TestCase("text", "héllo", "68c3a96c6c6f")]
    [TestCase("boolean", true, "01")]
    [TestCase("tinyint", (sbyte)-2, "fe")]
    [TestCase("smallint", (short)258, "0102")]
    [TestCase("int", -1, "ffffffff")]
    [TestCase("bigint", 1L, "0000000000000001")]
    [TestCase("float", 1.5f, "3fc00000")]
    [TestCase("double", -2.0, "c000000000000000")]
    [TestCase("timestamp", "1970-01-01T00:00:01Z", "00000000000003e8")]
    [TestCase("date", "1970-01-01", "80000000")]
    [TestCase("date", "1969-12-31", "7fffffff")]
    [TestCase("time", "00:00:00.0000001", "0000000000000064")]
    [TestCase("inet", "127.0.0.1", "7f000001")]
    [TestCase("uuid", "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899aabbccddeeff")]
    [TestCase("varint", "0", "00")]
    [TestCase("varint", "1", "01")]
    [TestCase("varint", "127", "7f")]
    [TestCase("varint", "128", "0080")]
    [TestCase("varint", "129", "0081")]
    [TestCase("varint", "-1", "ff")]
    [TestCase("varint", "-128", "80")]
    [TestCase("varint", "-129", "ff7f")]
    [TestCase("decimal", "1.50", "000000020096")]
    [TestCase("decimal", "-1", "00000000ff")]
    public void Bytes_are_those_of_the_specification(string typeName, object value, string expected)
    {
        var type = new CqlType(Enum.Parse<CqlTypeCode>(typeName, ignoreCase: true));
        var typed = value is string text ? Parse(type.Code, text) : value;

        Assert.That(Convert.ToHexString(Encode(typed, type)).ToLowerInvariant(), Is.EqualTo(expected));
        Assert.That(Codecs.For(typed.GetType(), type).ReadObject(Convert.FromHexString(expected), false, type),
            Is.EqualTo(typed));
    }

    [Test]
    public void A_list_is_a_count_and_elements_with_their_lengths() =>
        Assert.That(
            Convert.ToHexString(Encode<int[]>([1, 2], new CqlType(CqlTypeCode.List, new CqlType(CqlTypeCode.Int)))),
            Is.EqualTo("00000002" + "00000004" + "00000001" + "00000004" + "00000002"));

    [Test]
    public void What_does_not_fit_is_refused_clearly()
    {
        Assert.That(Code(() => Encode("1", new CqlType(CqlTypeCode.Int))), Is.EqualTo("CQ-9007"));
        Assert.That(Code(() => Encode(1, new CqlType(CqlTypeCode.Bigint))), Is.EqualTo("CQ-9007"));
        Assert.That(Code(() => Encode(new Version(1, 0), new CqlType(CqlTypeCode.Text))), Is.EqualTo("CQ-9007"));
        Assert.That(Code(() => Encode<string[]>(["a"], new CqlType(CqlTypeCode.List, new CqlType(CqlTypeCode.Int)))),
            Is.EqualTo("CQ-9007"));
        Assert.That(Code(() => Decode<TimeSpan>([1], new CqlType(CqlTypeCode.Duration))), Is.EqualTo("CQ-9008"));
        Assert.That(Code(() => Decode<object>([1], new CqlType(CqlTypeCode.Custom) { Name = "x.VectorType" })),
            Is.EqualTo("CQ-9008"));
        Assert.That(Code(() => Decode<int>([1], new CqlType(CqlTypeCode.Int))), Is.EqualTo("CQ-9009"));
        Assert.That(Code(() => Decode<decimal>(Encode(new CqlDecimal(BigInteger.Pow(10, 30), 0),
            new CqlType(CqlTypeCode.Decimal)), new CqlType(CqlTypeCode.Decimal))), Is.EqualTo("CQ-9009"));
        Assert.That(Code(() => Codec<int>.For(new CqlType(CqlTypeCode.Int))
            .ReadValue(default, isNull: true, new CqlType(CqlTypeCode.Int))), Is.EqualTo("CQ-9009"));
    }

    [Test]
    public void A_custom_type_can_still_be_read_as_its_bytes() =>
        Assert.That(Decode<byte[]>([1, 2], new CqlType(CqlTypeCode.Custom)), Is.EqualTo(new byte[] { 1, 2 }));

    [Test]
    public void Whatever_the_bytes_are_reading_ends_with_a_value_or_an_error_of_the_client()
    {
        CqlType[] types =
        [
            .. Enum.GetValues<CqlTypeCode>().Where(code => code < CqlTypeCode.List).Select(code => new CqlType(code)),
            new(CqlTypeCode.List, new CqlType(CqlTypeCode.Int)),
            new(CqlTypeCode.Set, new CqlType(CqlTypeCode.Text)),
            new(CqlTypeCode.Map, new CqlType(CqlTypeCode.Text), new CqlType(CqlTypeCode.Inet)),
            new(CqlTypeCode.Tuple, new CqlType(CqlTypeCode.Date), new CqlType(CqlTypeCode.Time)),
            Place(),
        ];
        Gen.Select(Gen.Int[0, types.Length - 1], Gen.Byte.Array[1, 40]).Sample((index, bytes) =>
        {
            try
            {
                Decode<object>(bytes, types[index]);
            }
            catch (CqlException)
            {
                // One of the client's own errors, which is what is looked for.
            }
        }, iter: Samples.Of(20_000));
    }

    private static CqlType Place() => new(
        CqlTypeCode.Udt, new CqlType(CqlTypeCode.Double), new CqlType(CqlTypeCode.Text))
    {
        Name = "place",
        Fields = ["at", "name"],
    };

    private static object Parse(CqlTypeCode code, string text) => code switch
    {
        CqlTypeCode.Timestamp => DateTimeOffset.Parse(text),
        CqlTypeCode.Date => DateOnly.Parse(text),
        CqlTypeCode.Time => TimeOnly.Parse(text),
        CqlTypeCode.Inet => IPAddress.Parse(text),
        CqlTypeCode.Uuid => Guid.Parse(text),
        CqlTypeCode.Varint => BigInteger.Parse(text),
        CqlTypeCode.Decimal => decimal.Parse(text),
        _ => text,
    };

    private static void RoundTrip<T>(Gen<T> values, CqlTypeCode code) => RoundTrip(values, new CqlType(code));

    private static void RoundTrip<T>(Gen<T> values, CqlType type) => values.Sample(value =>
    {
        var buffer = new WireBuffer(1);
        Codec<T>.For(type).WriteValue(buffer, type, value);
        var bytes = new WireReader(buffer.Written).Bytes(out var isNull);
        Assert.That(Codec<T>.For(type).ReadValue(bytes, isNull, type), Is.EqualTo(value));
    }, iter: type.Arguments.Count > 0 ? 100 : 2_000);

    private static byte[] Encode<T>(T value, CqlType type)
    {
        var buffer = new WireBuffer();
        if (typeof(T) == typeof(object)) Parts.Write(buffer, type, value);
        else Codec<T>.For(type).WriteValue(buffer, type, value);
        return buffer.Written[4..].ToArray();
    }

    private static T Decode<T>(byte[] bytes, CqlType type) => Codec<T>.For(type).ReadValue(bytes, false, type);

    private static string Code(Action act) => Assert.Throws<CqlException>(() => act())!.Code;
}
