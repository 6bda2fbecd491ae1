using CsCheck;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Codec;

[Category("Samples")]
public class RoundTripTests
{
    [Test]
    public void A_variable_byte_integer_is_read_as_it_was_written([Values(0, 127, 128, 16_383, 16_384, 2_097_151,
        2_097_152, VarInt.Max)] int value)
    {
        var bytes = new byte[4];
        var written = VarInt.Write(bytes, value);

        Assert.That(VarInt.Size(value), Is.EqualTo(written));
        Assert.That(VarInt.Read(bytes, out var read), Is.EqualTo(written));
        Assert.That(read, Is.EqualTo(value));
    }

    [TestCase(new byte[] { 0x80, 0x80, 0x80, 0x80 }, -1)]
    [TestCase(new byte[] { 0x80, 0x00 }, -1)]
    [TestCase(new byte[] { 0x80 }, 0)]
    public void A_variable_byte_integer_is_neither_too_long_nor_cut_off(byte[] bytes, int expected) =>
        Assert.That(VarInt.Read(bytes, out _), Is.EqualTo(expected));

    [Test]
    public void Every_packet_is_read_and_written_to_the_same_bytes() =>
        Gen.Int.Sample(seed =>
        {
            var samples = new PacketSamples(seed);
            var version = samples.Version();
            foreach (var type in PacketSamples.Types)
            {
                var bytes = samples.Packet(type, version);
                Assert.That(Rewrite(bytes, version), Is.EqualTo(bytes), $"{type} {version}, seed {seed}");
            }
        }, iter: Samples.Of(1_000));

    [Test]
    public void A_publish_keeps_its_fields() =>
        Gen.Int.Sample(seed =>
        {
            var samples = new PacketSamples(seed);
            var version = samples.Version();
            var sent = samples.PublishPacket(version);
            var bytes = new System.Buffers.ArrayBufferWriter<byte>();
            PacketWriter.Publish(bytes, version, sent);
            PacketHeader.TryRead(bytes.WrittenSpan, out var header, out _);
            var body = bytes.WrittenSpan[header.HeaderBytes..];

            var defect = PublishPacket.TryRead(header.Flags, body, version, out var read);
            Assert.That(defect, Is.EqualTo(PacketDefect.None));
            Assert.That(read.Topic.SequenceEqual(sent.Topic));
            Assert.That(read.Payload.SequenceEqual(sent.Payload));
            Assert.That(read.Properties.Bytes.SequenceEqual(sent.Properties.Bytes));
            Assert.That((read.Qos, read.Retain, read.Duplicate, read.PacketId),
                Is.EqualTo((sent.Qos, sent.Retain, sent.Duplicate, sent.PacketId)));
        }, iter: Samples.Of(1_000));

    private static byte[] Rewrite(byte[] bytes, MqttVersion version)
    {
        Assert.That(PacketHeader.TryRead(bytes, out var header, out var broken), broken.ToString());
        Assert.That(header.TotalBytes, Is.EqualTo(bytes.Length));
        return PacketSamples.Bytes(target =>
        {
            var body = bytes.AsSpan(header.HeaderBytes);
            var defect = PacketDefect.None;
            switch (header.Type)
            {
                case PacketType.Connect:
                    defect = ConnectPacket.TryRead(body, out var connect);
                    PacketWriter.Connect(target, connect);
                    break;
                case PacketType.ConnAck:
                    defect = ConnAckPacket.TryRead(body, version, out var connAck);
                    PacketWriter.ConnAck(target, version, connAck);
                    break;
                case PacketType.Publish:
                    defect = PublishPacket.TryRead(header.Flags, body, version, out var publish);
                    PacketWriter.Publish(target, version, publish);
                    break;
                case PacketType.Subscribe:
                    defect = SubscribePacket.TryRead(body, version, out var subscribe);
                    PacketWriter.Subscribe(target, version, subscribe);
                    break;
                case PacketType.Unsubscribe:
                    defect = UnsubscribePacket.TryRead(body, version, out var unsubscribe);
                    PacketWriter.Unsubscribe(target, version, unsubscribe);
                    break;
                case PacketType.SubAck or PacketType.UnsubAck:
                    defect = SubAckPacket.TryRead(header.Type, body, version, out var subAck);
                    PacketWriter.SubAck(target, version, header.Type, subAck);
                    break;
                case PacketType.PingReq: PacketWriter.PingReq(target); break;
                case PacketType.PingResp: PacketWriter.PingResp(target); break;
                default:
                    defect = ReasonPacket.TryRead(header.Type, body, version, out var reason);
                    PacketWriter.Reason(target, version, reason);
                    break;
            }

            Assert.That(defect, Is.EqualTo(PacketDefect.None), header.Type.ToString());
        });
    }
}
