using System.Buffers;

namespace Millrace.Integration.Tests.Gateway;

[TestFixture(false)]
[TestFixture(true)]
[Platform("Linux")]
public class AllocationTests(bool tls)
{
    private const int Window = 200;
    private const int Windows = 500;

    /// <summary>What is left is for each batch, in the log behind the gate, and for what runs beside.</summary>
    private const int BytesMax = 16;

    [SetUp]
    public void UseEventLoops() => (GatewayHost.EventLoops, GatewayHost.IsRawTls) = (1, tls);

    [TearDown]
    public void LeaveTls() => GatewayHost.IsRawTls = false;

    [Test]
    public async Task A_publish_and_its_acknowledgement_allocate_nothing_on_event_loops()
    {
        await using var host = await GatewayHost.StartAsync();
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.LoginAsync(host, "pump-1", Mqtt.MqttVersion.V311);
        var packets = new ArrayBufferWriter<byte>();
        for (ushort id = 1; id <= Window; id++) client.Publish(packets, "telemetry", "{\"temperature\":21.5}", id);

        Publish(client.Stream, packets.WrittenMemory.ToArray());
        var before = OfTheGateway();
        Publish(client.Stream, packets.WrittenMemory.ToArray());
        var each = (OfTheGateway() - before) / (double)(Window * Windows);
        Assert.That(each, Is.LessThan(BytesMax));
    }

    /// <summary>All that was allocated but for what the client's calls, here, take.</summary>
    private static long OfTheGateway() =>
        GC.GetTotalAllocatedBytes(precise: true) - GC.GetAllocatedBytesForCurrentThread();

    private static void Publish(Stream stream, byte[] packets)
    {
        var acks = new byte[Window * 4];
        for (var i = 0; i < Windows; i++)
        {
            stream.Write(packets);
            for (var got = 0; got < acks.Length;)
            {
                var read = stream.Read(acks.AsSpan(got));
                Assert.That(read, Is.Positive, "closed");
                got += read;
            }
        }
    }
}
