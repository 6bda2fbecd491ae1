using System.Buffers;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

public class BackPressureTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private static readonly (string, string) NoRate = ("Gateway:Limits:Device:MessagesPerSecond", "0");

    [Test]
    public async Task While_the_log_is_slow_the_socket_is_not_read_and_nothing_is_lost()
    {
        const int messages = 40_000;
        await using var host = await GatewayHost.StartAsync(("Gateway:PartitionBufferBytesMax", "256KiB"));
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.LoginAsync(host, "pump-1");
        host.Log.Shut();

        var body = new string('x', 1_000);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < messages / 100; i++)
            {
                var burst = new ArrayBufferWriter<byte>();
                for (var j = 0; j < 100; j++) client.Publish(burst, "telemetry", body);
                await client.SendAsync(burst.WrittenMemory.ToArray());
            }
        });
        await Eventually.TrueAsync(() => host.Meters["pauses/partition-full"] > 0, "a pause");
        Assert.That(host.Meters["publishes.received"], Is.LessThan(1_000), "more was taken than two buffers hold");
        Assert.That(sending.IsCompleted, Is.False);

        host.Log.Open();
        await sending;
        await Eventually.TrueAsync(() => host.Meters["publishes.accepted"] == messages, "all accepted");
        Assert.That(await host.TelemetryAsync(), Has.Count.EqualTo(messages));
        Assert.That(host.Meters["publishes.inflight"], Is.Zero);
    }

    [Test]
    public async Task Answers_that_are_not_read_do_not_pile_up()
    {
        await using var host = await GatewayHost.StartAsync(NoRate);
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.OpenAsync(host, receiveBytes: 4_096);
        await client.ConnectAsync("pump-1", GatewayHost.Key);
        await client.ReadAsync();
        var pings = new byte[1 << 20];
        for (var i = 0; i < pings.Length; i += 2) pings[i] = 0xC0;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 16; i++) await client.SendAsync(pings);
        });
        var first = await Task.WhenAny(sending, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System));
        Assert.That(first, Is.Not.SameAs(sending), "all was read although no answer was");

        var buffer = new byte[64 << 10];
        for (var got = 0; got < 16 << 20;)
        {
            var read = await client.Stream.ReadAsync(buffer);
            Assert.That(read, Is.Positive, "closed");
            got += read;
        }

        await sending;
    }

    [Test]
    public async Task A_client_that_does_not_read_its_acks_is_not_read_either()
    {
        await using var host = await GatewayHost.StartAsync(NoRate, ("Gateway:InFlightMax", "65535"));
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.OpenAsync(host, Mqtt.MqttVersion.V311, receiveBytes: 4_096);
        await client.ConnectAsync("pump-1", GatewayHost.Key);
        await client.ReadAsync();
        var sent = 0;
        var sending = Task.Run(async () =>
        {
            for (; sent < 4_000_000; sent += 1_000)
            {
                var burst = new ArrayBufferWriter<byte>();
                for (var j = 0; j < 1_000; j++) client.Publish(burst, "telemetry", "x", packetId: 1);
                await client.SendAsync(burst.WrittenMemory.ToArray());
            }
        });
        var before = -1L;
        await Eventually.TrueAsync(async () =>
        {
            var stands = before == host.Meters["publishes.received"] && before > 0;
            before = host.Meters["publishes.received"];
            if (!stands) await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            return stands;
        }, "reading stands still", TimeSpan.FromSeconds(60));
        Assert.That(sending.IsCompleted, Is.False);
        client.Dispose();
        await Assert.ThatAsync(() => sending, Throws.Exception);
        await Eventually.TrueAsync(() => host.Meters["connections"] == 0, "the lost connection ends");
    }
}
