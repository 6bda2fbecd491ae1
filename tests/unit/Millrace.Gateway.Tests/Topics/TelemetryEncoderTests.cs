using System.Text;
using CsCheck;
using Millrace.Contracts;
using Millrace.Gateway.Topics;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Gateway.Tests.Topics;

public class TelemetryEncoderTests
{
    private static readonly TelemetrySource Source = new("pump-1", 0, "key"u8.ToArray(), "g-1"u8.ToArray(), []);

    [TestCase("a=1&b=2", "app.a=1 app.b=2")]
    [TestCase("?a=1", "app.a=1")]
    [TestCase("a", "app.a=")]
    [TestCase("a=1&&b=", "app.a=1 app.b=")]
    [TestCase("a=1/", "app.a=1")]
    [TestCase("a%20b=%C3%A4+%25", "app.a b=ä+%")]
    [TestCase("$.mid=1&$.cid=2&$.uid=3&$.ct=4&$.ce=5&$.ctime=6",
        "message-id=1 correlation-id=2 user-id=3 content-type=4 content-encoding=5 creation-time=6")]
    [TestCase("iothub-creation-time-utc=2026-01-01T00:00:00Z", "creation-time=2026-01-01T00:00:00Z")]
    [TestCase("%24.mid=1", "message-id=1")]
    [TestCase("traceparent=00-1&tracestate=x", "traceparent=00-1 tracestate=x")]
    [TestCase("device-id=forged&auth-method=forged&$.cdid=forged",
        "app.device-id=forged app.auth-method=forged app.$.cdid=forged")]
    public void A_property_bag_becomes_headers(string bag, string expected) =>
        Assert.That(Headers(bag, []), Is.EqualTo($"auth-method=key generation-id=g-1 {expected}"));

    [TestCase("a=%")]
    [TestCase("a=%4")]
    [TestCase("%zz=1")]
    [TestCase("a=%FF")]
    public void A_bag_that_is_not_encoded_well_is_refused_and_leaves_no_record(string bag)
    {
        using var records = new RecordBatchBuilder();

        Assert.That(Encode(records, bag, []), Is.EqualTo(PublishRefusal.PropertyBagInvalid));
        Assert.That((records.Count, records.ByteCount), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Too_many_properties_and_too_long_names_are_refused()
    {
        using var records = new RecordBatchBuilder();
        var many = string.Join('&', Enumerable.Range(0, 11).Select(i => $"p{i}=1"));
        var name = new string('n', TelemetryEncoder.NameBytesMax + 1);

        Assert.That(Encode(records, many, []), Is.EqualTo(PublishRefusal.TooManyProperties));
        Assert.That(Encode(records, $"{name}=1", []), Is.EqualTo(PublishRefusal.TooManyProperties));
        Assert.That(records.ByteCount, Is.Zero);
    }

    [Test]
    public void What_an_mqtt_5_property_says_stands_after_the_bag_and_so_wins()
    {
        var writer = new PropertyWriter(new byte[64]);
        writer.Bytes(PropertyId.ContentType, "b"u8);
        writer.User("$.mid"u8, "m"u8);

        Assert.That(Headers("$.ct=a", writer.Written.ToArray()),
            Is.EqualTo("auth-method=key generation-id=g-1 content-type=a content-type=b message-id=m"));
    }

    [Test]
    public void Whatever_is_encoded_is_decoded_to_the_same() =>
        Gen.String.Select(Gen.String).List[0, 8].Sample(pairs =>
        {
            var bag = pairs.Select(p => $"x{Uri.EscapeDataString(p.Item1)}={Uri.EscapeDataString(p.Item2)}");
            var headers = pairs.Select(p => $"app.x{Clean(p.Item1)}={Clean(p.Item2)}");
            string[] expected = ["auth-method=key", "generation-id=g-1", .. headers];

            Assert.That(Headers(string.Join('&', bag), []), Is.EqualTo(string.Join(' ', expected)));
        });

    [Test]
    public void Any_bytes_are_a_bag_or_refused() =>
        Gen.Byte.Array[0, 60].Sample(bag =>
        {
            using var records = new RecordBatchBuilder();
            var refusal = Encode(records, bag, []);
            Assert.That(records.Count, Is.EqualTo(refusal == PublishRefusal.None ? 1 : 0));
            Assert.That(records.Count == 0 || RecordView.Check(records.Bytes.Span) == records.ByteCount);
        });

    [Test]
    public void Encoding_allocates_nothing()
    {
        using var records = new RecordBatchBuilder(1 << 20);
        var bag = "$.mid=1&line=7"u8.ToArray();
        Encode(records, bag, []);
        records.Clear();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Encode(records, bag, []);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Headers(string bag, byte[] properties)
    {
        using var records = new RecordBatchBuilder();
        Assert.That(Encode(records, bag, properties), Is.EqualTo(PublishRefusal.None));
        foreach (var record in new RecordBatch(new TopicPartition("t", 0), 0, records.Count, records.Bytes))
        {
            var headers = new List<string>();
            foreach (var header in record.Headers)
                headers.Add($"{Encoding.UTF8.GetString(header.Name)}={Encoding.UTF8.GetString(header.Value)}");
            return string.Join(' ', headers);
        }

        throw new AssertionException("No record was written.");
    }

    private static PublishRefusal Encode(RecordBatchBuilder records, string bag, byte[] properties) =>
        Encode(records, Encoding.UTF8.GetBytes(bag), properties);

    private static PublishRefusal Encode(RecordBatchBuilder records, byte[] bag, byte[] properties)
    {
        var target = new MessageTarget { Source = Source, PropertyBag = bag };
        var publish = new PublishPacket { Topic = "t"u8, Properties = new PropertySet(properties), Payload = "{}"u8 };
        return TelemetryEncoder.Encode(records, 1, target, publish, propertiesMax: 10);
    }
}
