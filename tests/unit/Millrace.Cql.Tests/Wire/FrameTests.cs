using System.Buffers.Binary;
using CsCheck;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Wire;

/// <summary>Envelopes in, envelopes out, however they are cut; and damage is always seen.</summary>
public class FrameTests
{
    private const int LimitBytes = 1 << 20;

    private static readonly Gen<byte[]> Bodies = Gen.Frequency(
        (20, Gen.Byte.Array[0, 300]),
        (2, Gen.Byte[0, 3].Array[FrameHeader.PayloadMax - 40, FrameHeader.PayloadMax + 40]),
        (1, Gen.Byte.Array[300_000, 400_000]));

    [Test]
    public void The_checksum_of_a_header_is_that_of_the_specification()
    {
        // An empty and a full self-contained header, computed bit by bit as the specification describes it.
        foreach (var bits in new[] { 0, 0x20000 | 0x1FFFF, 0x20000 | 36 })
        {
            byte[] header = [(byte)bits, (byte)(bits >> 8), (byte)(bits >> 16)];
            Assert.That(Checksums.Header(header), Is.EqualTo(Slowly(header)));
        }

        static int Slowly(byte[] bytes)
        {
            var crc = 0x875060;
            foreach (var octet in bytes)
            {
                crc ^= octet << 16;
                for (var i = 0; i < 8; i++) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1974F0B : 0);
            }

            return crc & 0xFFFFFF;
        }
    }

    [TestCase(true, false)]
    [TestCase(true, true)]
    [TestCase(false, false)]
    [TestCase(false, true)]
    public void Envelopes_come_out_as_they_went_in_however_they_are_cut(bool framed, bool compress) =>
        Gen.Select(Bodies.Array[1, 8], Gen.Int).Sample((bodies, seed) =>
        {
            var wire = Encode(bodies, framed, compress);
            var read = Decode(wire, framed, compress, new Random(seed));

            Assert.That(read, Has.Count.EqualTo(bodies.Length));
            for (var i = 0; i < bodies.Length; i++)
            {
                Assert.That(read[i].Stream, Is.EqualTo(i));
                Assert.That(read[i].Body.AsSpan().SequenceEqual(bodies[i]), Is.True);
            }
        }, iter: 40);

    [TestCase(false)]
    [TestCase(true)]
    public void A_flipped_bit_anywhere_is_seen(bool compress) =>
        Gen.Select(Gen.Byte.Array[0, 60].Array[1, 4], Gen.Int).Sample((bodies, seed) =>
        {
            var random = new Random(seed);
            var wire = Encode(bodies, framed: true, compress);
            wire[random.Next(wire.Length)] ^= (byte)(1 << random.Next(8));

            var failure = Assert.Throws<CqlException>(() => Decode(wire, framed: true, compress, random));
            Assert.That(failure!.Code, Is.EqualTo("CQ-9005"));
        }, iter: 5_000);

    [TestCase(true, false)]
    [TestCase(true, true)]
    [TestCase(false, false)]
    [TestCase(false, true)]
    public void Whatever_arrives_the_reader_gives_envelopes_or_an_error_of_the_client(bool framed, bool compress) =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var bodies = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Bytes(random, random.Next(80))).ToArray();
            var wire = Mutate(Encode(bodies, framed, compress), random);
            try
            {
                Decode(wire, framed, compress, random);
            }
            catch (CqlException e)
            {
                Assert.That(e.Code, Is.AnyOf("CQ-9005", "CQ-9006"));
            }
        }, iter: 8_000);

    [Test]
    public void Frames_that_are_damaged_with_care_are_refused_too() =>
        Gen.Int.Sample(seed =>
        {
            // The checksums fit; what is inside does not.
            var random = new Random(seed);
            var output = new WireBuffer();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var payload = Mutate(Encode([Bytes(random, random.Next(40))], framed: false, compress: false), random);
                PutFrame(output, payload, selfContained: random.Next(2) == 0);
            }

            try
            {
                Decode(output.Written.ToArray(), framed: true, compress: false, random);
            }
            catch (CqlException e)
            {
                Assert.That(e.Code, Is.AnyOf("CQ-9005", "CQ-9006"));
            }
        }, iter: 8_000);

    [Test]
    public void An_envelope_that_says_to_be_too_long_is_refused_before_room_is_made()
    {
        var header = new byte[EnvelopeHeader.Size];
        new EnvelopeHeader(0x84, EnvelopeFlags.None, 0, Opcode.Result, LimitBytes + 1).Write(header);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var failure = Assert.Throws<CqlException>(() => Decode(header, framed: false, compress: false, new Random(1)));

        Assert.That(failure!.Code, Is.EqualTo("CQ-9006"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(LimitBytes));
    }

    [Test]
    public void A_frame_of_small_envelopes_holds_as_many_as_fit()
    {
        var bodies = Enumerable.Range(0, 3_000).Select(_ => new byte[91]).ToArray();
        var wire = Encode(bodies, framed: true, compress: false);

        var frames = 0;
        for (var at = 0; at < wire.Length; frames++)
        {
            Assert.That(FrameHeader.Read(wire.AsSpan(at), compressed: false, out var frame),
                Is.EqualTo(FrameStatus.Complete));
            Assert.That(frame.SelfContained, Is.True);
            at += FrameHeader.Size(false) + frame.Length + FrameHeader.TrailerSize;
        }

        Assert.That(frames, Is.EqualTo(3));
    }

    private static void PutFrame(WireBuffer output, byte[] payload, bool selfContained)
    {
        var header = new FrameHeader(payload.Length, payload.Length, selfContained);
        header.Write(output.Take(FrameHeader.Size(false)), false);
        output.Raw(payload);
        BinaryPrimitives.WriteUInt32LittleEndian(
            output.Take(FrameHeader.TrailerSize), new Checksums().Payload(payload));
    }

    private static byte[] Encode(byte[][] bodies, bool framed, bool compress)
    {
        var envelopes = new WireBuffer();
        for (var i = 0; i < bodies.Length; i++)
        {
            new EnvelopeHeader((byte)(framed ? 0x85 : 0x84), EnvelopeFlags.None, (short)i, Opcode.Result,
                bodies[i].Length).Write(envelopes.Take(EnvelopeHeader.Size));
            envelopes.Raw(bodies[i]);
        }

        var output = new WireBuffer();
        new EnvelopeWriter(compress) { Framed = framed }.Write(envelopes.Written, output);
        return output.Written.ToArray();
    }

    private static List<(short Stream, byte[] Body)> Decode(byte[] wire, bool framed, bool compress, Random random)
    {
        var reader = new EnvelopeReader(compress, LimitBytes) { Framed = framed };
        var read = new List<(short, byte[])>();
        for (var at = 0; at < wire.Length;)
        {
            var part = wire.AsSpan(at, Math.Min(random.Next(1, 100_000), wire.Length - at));
            part = part[..Math.Min(part.Length, reader.Free.Length)];
            part.CopyTo(reader.Free);
            reader.Advance(part.Length);
            at += part.Length;
            while (reader.TryRead(out var header, out var body)) read.Add((header.Stream, body.ToArray()));
        }

        return read;
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var list = bytes.ToList();
        for (var i = random.Next(4); i > 0 && list.Count > 0; i--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(3))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveAt(at); break;
                default: list.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. list];
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
