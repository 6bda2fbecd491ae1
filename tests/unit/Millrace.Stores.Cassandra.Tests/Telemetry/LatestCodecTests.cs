using System.Buffers;
using CsCheck;
using Millrace.Contracts;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class LatestCodecTests
{
    private static readonly Gen<string?> Text = Gen.String.Null();

    private static readonly Gen<TelemetryMessage> Message =
        from numbers in Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long, Gen.Long, Gen.Int[0, int.MaxValue])
        from texts in Text.Array[7]
        from properties in Gen.Dictionary(Gen.String, Gen.String)[0, 5]
        from body in Gen.Byte.Array[0, 200]
        select new TelemetryMessage
        {
            DeviceId = "d",
            Offset = numbers.Item1,
            EventAtMs = numbers.Item2,
            EnqueuedAtMs = numbers.Item3,
            Partition = numbers.Item4,
            ModuleId = texts[0],
            ContentType = texts[1],
            ContentEncoding = texts[2],
            MessageId = texts[3],
            CorrelationId = texts[4],
            UserId = texts[5],
            GenerationId = texts[6],
            Properties = properties,
            Body = body,
        };

    [Test]
    public void A_value_comes_back_as_it_went_in() => Message.Sample(sent =>
    {
        var got = LatestCodec.Read("d", Encode(sent));
        return got with { Properties = sent.Properties, Body = sent.Body } == sent
            && got.Body.SequenceEqual(sent.Body) && got.Properties.SequenceEqual(sent.Properties);
    });

    [Test]
    public void Of_two_values_the_one_with_the_higher_offset_has_the_greater_bytes() =>
        Gen.Select(Message, Message).Sample((one, other) =>
            one.Offset == other.Offset
            || Encode(one).AsSpan().SequenceCompareTo(Encode(other)) > 0 == one.Offset > other.Offset);

    private static byte[] Encode(TelemetryMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        LatestCodec.Write(message, output);
        return output.WrittenSpan.ToArray();
    }
}
