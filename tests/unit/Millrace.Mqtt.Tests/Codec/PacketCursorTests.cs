using System.Buffers;
using CsCheck;
using Millrace.Mqtt.Codec;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Codec;

[Category("Samples")]
public class PacketCursorTests
{
    [Test]
    public void Packets_are_the_same_however_the_bytes_are_cut() =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var samples = new PacketSamples(seed);
            var packets = Enumerable.Range(0, 6)
                .Select(_ => samples.Packet((PacketType)random.Next(1, 16), MqttVersion.V5)).ToList();
            var stream = packets.SelectMany(each => each).ToArray();
            var end = random.Next(stream.Length + 1);
            using var cursor = new PacketCursor(Segments.Cut(stream.AsMemory(0, end), random), 1 << 20);

            var read = 0;
            var bytes = 0;
            while (cursor.TryRead(out var header, out var body, out var defect))
            {
                Assert.That(defect, Is.EqualTo(PacketDefect.None));
                Assert.That(body.SequenceEqual(packets[read].AsSpan(header.HeaderBytes)), $"seed {seed}");
                read++;
                bytes += header.TotalBytes;
            }

            var whole = packets.TakeWhile((_, i) => packets.Take(i + 1).Sum(each => each.Length) <= end).ToList();
            Assert.That(read, Is.EqualTo(whole.Count), $"seed {seed}");
            Assert.That(cursor.IsEmpty, Is.EqualTo(bytes == end));
        }, iter: Samples.Of(1_000));

    [Test]
    public void A_packet_that_is_put_back_is_read_again_and_not_consumed()
    {
        byte[] stream = [0xC0, 0, 0x30, 3, 0, 1, (byte)'a'];
        var received = new ReadOnlySequence<byte>(stream);
        using var cursor = new PacketCursor(received, 100);
        cursor.TryRead(out _, out _, out _);
        cursor.TryRead(out var first, out _, out _);
        cursor.PutBack();

        Assert.That(received.GetOffset(cursor.Consumed), Is.EqualTo(2));
        Assert.That(cursor.TryRead(out var again, out _, out _));
        Assert.That(again, Is.EqualTo(first));
    }

    [TestCase(new byte[] { 0x30, 0x64 }, TestName = "By its header alone")]
    [TestCase(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F }, TestName = "With the largest length of all")]
    public void A_packet_above_the_limit_is_refused_before_it_has_come(byte[] bytes)
    {
        using var cursor = new PacketCursor(new ReadOnlySequence<byte>(bytes), 100);

        Assert.That(cursor.TryRead(out _, out _, out var defect), Is.False);
        Assert.That(defect, Is.EqualTo(PacketDefect.TooLarge));
    }

    [Test]
    public void A_length_without_an_end_is_malformed()
    {
        using var cursor = new PacketCursor(new ReadOnlySequence<byte>([0x30, 0xFF, 0xFF, 0xFF, 0xFF]), 100);

        Assert.That(cursor.TryRead(out _, out _, out var defect), Is.False);
        Assert.That(defect, Is.EqualTo(PacketDefect.LengthInvalid));
    }
}
