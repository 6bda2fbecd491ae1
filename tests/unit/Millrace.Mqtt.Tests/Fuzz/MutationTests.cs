using System.Buffers;
using CsCheck;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Session;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Fuzz;

/// <summary>
/// Whatever comes in, the codec and the session answer with values: they never throw and never read on.
/// </summary>
[Category("Samples")]
public class MutationTests
{
    private static readonly SessionLimits Limits = new(4096, 8, 4, 0, 100, 8, 4);

    [Test]
    public void Mutated_streams_are_taken_or_refused_but_never_throw() =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            Drive(Mutate(Conversation(seed, random), random), random);
        }, iter: Samples.Of(8_000));

    [Test]
    public void What_follows_a_packet_does_not_change_how_it_is_read() =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var packet = Mutate(new PacketSamples(seed).Packet((PacketType)random.Next(1, 16), MqttVersion.V5), random);
            if (!PacketHeader.TryRead(packet, out var header, out _) || header.TotalBytes > packet.Length) return;
            var alone = packet.AsSpan(0, header.TotalBytes).ToArray();
            byte[] followed = [.. alone, .. Enumerable.Repeat((byte)0xFF, 64)];

            Assert.That(Outcome(followed), Is.EqualTo(Outcome(alone)), $"seed {seed}");
        }, iter: Samples.Of(8_000));

    private static (SessionStepKind, PacketDefect, int) Outcome(byte[] bytes)
    {
        var session = Connected();
        using var cursor = new PacketCursor(new ReadOnlySequence<byte>(bytes), 1 << 20);
        if (!cursor.TryRead(out var header, out var body, out var defect)) return (default, defect, -1);
        session.Feed(header, body, out var step);
        return (step.Kind, step.Defect, step.Publish.Payload.Length);
    }

    private static byte[] Conversation(int seed, Random random)
    {
        var samples = new PacketSamples(seed);
        var version = samples.Version();
        var bytes = new List<byte>(samples.Connect(version));
        for (var i = random.Next(5); i > 0; i--)
            bytes.AddRange(samples.Packet((PacketType)random.Next(1, 16), version));
        return [.. bytes];
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = bytes.ToList();
        for (var i = random.Next(4); i > 0 && mutated.Count > 0; i--)
        {
            var at = random.Next(mutated.Count);
            switch (random.Next(4))
            {
                case 0: mutated[at] = (byte)random.Next(256); break;
                case 1: mutated[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: mutated.RemoveRange(at, random.Next(mutated.Count - at)); break;
                case 3: mutated.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. mutated];
    }

    private static void Drive(byte[] stream, Random random)
    {
        var session = new MqttSession(Limits);
        var replies = new ArrayBufferWriter<byte>();
        using var cursor = new PacketCursor(Segments.Cut(stream, random), Limits.PacketBytesMax);
        while (cursor.TryRead(out var header, out var body, out _))
        {
            session.Feed(header, body, out var step);
            if (step.Kind == SessionStepKind.Authenticate)
            {
                if (!session.CanAccept(session.Request!, default)) return;
                session.Accept(replies, default);
            }

            if (step.Kind == SessionStepKind.Publish)
            {
                foreach (var property in step.Publish.Properties) Assert.That(property.Id, Is.Not.Zero);
                if (step.Publish.Qos == 1) session.Acks.Add(step.Publish.PacketId, 0);
                if (step.Publish.Qos == 2) Begin(session, step.Publish.PacketId, random);
            }

            if (step.Kind == SessionStepKind.Repeat && session.Repeat(step.PacketId)) session.WriteAcks(replies);
            if (step.Kind == SessionStepKind.Release) session.Complete(replies, step.PacketId, step.Reason);

            foreach (var each in step.Subscribe) Assert.That(each.Filter.Length, Is.Positive);
            foreach (var filter in step.Unsubscribe) Assert.That(filter.Length, Is.Positive);
            if (step.Kind is SessionStepKind.Wait or SessionStepKind.Goodbye) return;
            if (step.Kind != SessionStepKind.Close) continue;
            session.Close(replies, step.Defect.Reason());
            return;
        }
    }

    private static void Begin(MqttSession session, ushort packetId, Random random)
    {
        var number = session.Acks.Add(packetId, 0, PacketType.PubRec);
        (session.Exchanges ??= new ExchangeTable()).Begin(packetId, 0, number);
        if (random.Next(2) == 0) session.Acks.MarkDurable(0, number);
    }

    private static MqttSession Connected()
    {
        var session = new MqttSession(Limits);
        byte[] connect = [0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 5, 2, 0, 0, 0, 0, 1, (byte)'c'];
        session.Feed(new PacketHeader(0x10, 2, connect.Length), connect, out _);
        session.Accept(new ArrayBufferWriter<byte>(), default);
        return session;
    }
}
