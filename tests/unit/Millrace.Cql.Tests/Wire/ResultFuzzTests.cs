using System.Net;
using CsCheck;
using Millrace.Cql.Protocol;
using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Wire;

/// <summary>Bodies of answers that were changed are read as something, or refused with CQ-9005.</summary>
[Category("Samples")]
public class ResultFuzzTests
{
    private static readonly CqlType Text = new(CqlTypeCode.Text);

    [Test]
    public void Rows_prepared_errors_and_events_never_end_otherwise() =>
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var body = new WireBuffer();
            RingRows.Rows([("a", Text), ("b", new CqlType(CqlTypeCode.List, Text))],
                [["x", new List<string> { "y" }]], [9])(body);
            Try(() => ResultReader.Read(Header(random), Mutated(body, random), null));

            body.Clear();
            RingRows.Prepared([1, 2], ("a", Text), ("b", new CqlType(CqlTypeCode.Map, Text, Text)))(body);
            Try(() => ResultReader.ReadPrepared(Header(random), Mutated(body, random)));

            body.Clear();
            body.Int((int)ServerErrorCode.WriteTimeout);
            body.String("late");
            body.Short(6);
            body.Int(1);
            body.Int(2);
            body.String("SIMPLE");
            Try(() => ErrorReader.Read(Header(random), Mutated(body, random), null));

            body.Clear();
            body.String("STATUS_CHANGE");
            body.String("UP");
            body.Inet(new IPEndPoint(IPAddress.Loopback, 9042));
            Try(() => ServerEvent.Read(Mutated(body, random)));
        }, iter: Samples.Of(8_000));

    private static EnvelopeHeader Header(Random random) =>
        new(0x85, random.Next(4) == 0 ? (EnvelopeFlags)random.Next(16) : EnvelopeFlags.None, 0, Opcode.Result, 0);

    private static byte[] Mutated(WireBuffer body, Random random)
    {
        var bytes = body.Written.ToArray();
        for (var i = random.Next(3); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private static void Try(Action read)
    {
        try
        {
            read();
        }
        catch (CqlException e)
        {
            Assert.That(e.Code, Is.EqualTo("CQ-9005"));
        }
    }
}
