using System.Buffers;
using System.Net.Sockets;

namespace Millrace.Integration.Tests.Gateway;

[Platform("Linux")]
public class AllocationTests
{
    private const int Window = 200;
    private const int Windows = 500;

    /// <summary>What is left is for each batch, in the log behind the gate, and for what runs beside.</summary>
    private const int BytesMax = 16;

    [Test]
    public async Task A_publish_and_its_acknowledgement_allocate_nothing_on_event_loops()
    {
        GatewayHost.EventLoops = 1;
        await using var host = await GatewayHost.StartAsync();
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.LoginAsync(host, "pump-1", Mqtt.MqttVersion.V311);
        var packets = new ArrayBufferWriter<byte>();
        for (ushort id = 1; id <= Window; id++) client.Publish(packets, "telemetry", "{\"temperature\":21.5}", id);

        Publish(client.Socket, packets.WrittenMemory.ToArray());
        var before = OfTheGateway();
        Publish(client.Socket, packets.WrittenMemory.ToArray());
        var each = (OfTheGateway() - before) / (double)(Window * Windows);
        Assert.That(each, Is.LessThan(BytesMax));
    }

    /// <summary>All that was allocated but for what the client's calls, here, take.</summary>
    private static long OfTheGateway() =>
        GC.GetTotalAllocatedBytes(precise: true) - GC.GetAllocatedBytesForCurrentThread();

    private static void Publish(Socket socket, byte[] packets)
    {
        var acks = new byte[Window * 4];
        for (var i = 0; i < Windows; i++)
        {
            socket.Send(packets);
            for (var got = 0; got < acks.Length;)
            {
                var read = socket.Receive(acks.AsSpan(got));
                Assert.That(read, Is.Positive, "closed");
                got += read;
            }
        }
    }
}
