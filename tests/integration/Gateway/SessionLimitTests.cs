using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>How much a device may have in its sessions.</summary>
public class SessionLimitTests
{
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [Test]
    public async Task A_session_too_many_ends_the_one_that_was_opened_longest_ago_or_is_refused()
    {
        await using var host = await StartAsync(("Gateway:Sessions:SessionsMax", "2"));
        foreach (var name in new[] { "b", "a" })
        {
            using var client = await RawClient.LoginAsync(host, "pump-1", clientId: name, ask: Kept);
        }

        await Eventually.TrueAsync(() => host.Meters["connections"] == 0, "away");
        using var third = await RawClient.LoginAsync(host, "pump-1", clientId: "c", ask: Kept);
        Assert.That(await NamesAsync(host), Is.EqualTo(new[] { "a", "c" }));
        using var again = await RawClient.LoginAsync(host, "pump-1", clientId: "a", ask: Kept);
        Assert.That(again.IsPresent);
        Assert.That(host.Meters["sessions.ended/sessions-max"], Is.EqualTo(1));

        using var fourth = await RawClient.OpenAsync(host);
        await fourth.ConnectAsync("pump-1", GatewayHost.Key, "d", ask: Kept);
        Assert.That((await fourth.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.QuotaExceeded));
        Assert.That(host.Meters["refusals/sessions-max"], Is.EqualTo(1));
        using var unkept = await RawClient.LoginAsync(host, "pump-1", clientId: "e");
        Assert.That(await NamesAsync(host), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public async Task Of_thousands_of_filters_in_one_packet_those_beyond_the_limit_are_not_looked_at_and_each_counts()
    {
        const int filters = 80_000;
        await using var host = await StartAsync(
            ("Gateway:Limits:Device:MessagesPerSecond", "50000"), ("Gateway:Limits:Burst", "00:00:01"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        var many = new byte[filters * 4];
        for (var i = 0; i < many.Length; i += 4) (many[i + 1], many[i + 2]) = (1, (byte)'a');
        await client.SendAsync(target => PacketWriter.Subscribe(
            target, MqttVersion.V5, new SubscribePacket { PacketId = 9, Filters = many }));
        await client.PublishAsync("telemetry", "{}", 1);

        var answer = await client.ReadAsync();
        Assert.That(answer.AsSpan(^filters..^(filters - 100)).IndexOfAnyExcept((byte)ReasonCode.NotAuthorized),
            Is.Negative);
        Assert.That(answer.AsSpan(^(filters - 100)..).IndexOfAnyExcept((byte)ReasonCode.QuotaExceeded), Is.Negative);
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That(host.Meters["pauses/device-rate"], Is.Positive, "as many messages");
        Assert.That(host.Meters["subscriptions.refused/subscriptions-max"], Is.EqualTo(filters - 100));
    }

    [Test]
    public async Task What_waits_in_memory_counts_as_what_waits_in_a_store_topic_and_properties_included()
    {
        await using var host = await StartAsync(
            ("Gateway:Sessions:QueueBytesMax", "1KiB"), ("Gateway:Sessions:OutboundInFlightMax", "1"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        await client.SubscribeAsync("devices/pump-1/#", 1);
        await client.ReadAsync();
        var topic = $"messages/{new string('x', 600)}";
        await host.SendAsync("pump-1", "1", topic);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("1"));
        for (var i = 2; i <= 4; i++) await host.SendAsync("pump-1", $"{i}", topic);

        await Eventually.TrueAsync(() => host.Meters["deliveries.lost/queue-full"] == 2, "one fits, two do not");
    }

    [Test]
    public async Task Where_the_memory_of_all_queues_is_full_those_who_keep_up_go_on()
    {
        await using var host = await StartAsync(
            ("Gateway:Sessions:MemoryBytesMax", "2KiB"), ("Gateway:Sessions:OutboundInFlightMax", "1"));
        await host.AddDeviceAsync("pump-2");
        using var slow = await RawClient.LoginAsync(host, "pump-1");
        using var quick = await RawClient.LoginAsync(host, "pump-2");
        await slow.SubscribeAsync("devices/pump-1/#", 1);
        await quick.SubscribeAsync("devices/pump-2/#", 1);
        await slow.ReadAsync();
        await quick.ReadAsync();

        // One is on its way and is not acknowledged, two wait, and there is no room for two.
        for (var i = 0; i < 5; i++) await host.SendAsync("pump-1", new string('x', 900));
        await Eventually.TrueAsync(() => host.Meters["deliveries.lost/memory-full"] == 2, "counted");
        for (var i = 0; i < 5; i++)
        {
            await host.SendAsync("pump-2", $"{i}", qos: 1);
            var message = await quick.ReadMessageAsync();
            Assert.That(message.Body, Is.EqualTo($"{i}"));
            await quick.AnswerAsync(PacketType.PubAck, message.PacketId);
        }

        slow.Dispose();
        await Eventually.TrueAsync(() => host.Meters["deliveries.lost/connection-ended"] == 3, "counted");

        // What waited for it is given back.
        var before = host.Meters["deliveries/queued"];
        for (var i = 0; i < 3; i++) await host.SendAsync("pump-2", new string('x', 900));
        await Eventually.TrueAsync(() => host.Meters["deliveries/queued"] == before + 3, "all have room");
        Assert.That(host.Meters["deliveries.lost/memory-full"], Is.EqualTo(2));
    }

    [Test]
    public async Task A_device_may_have_a_queue_of_its_own_length([Values] bool isKept)
    {
        await using var host = await StartAsync(
            ("Gateway:Sessions:OutboundInFlightMax", "1"), ("Gateway:Limits:Device:QueueMessagesMax", "3"),
            ("Gateway:Limits:Devices:0:DeviceIds:0", "pump-2"), ("Gateway:Limits:Devices:0:QueueMessagesMax", "2"),
            ("Gateway:Limits:Devices:1:DeviceIds:0", "pump-3"), ("Gateway:Limits:Devices:1:QueueBytesMax", "1KiB"));
        await host.AddDeviceAsync("pump-2");
        await host.AddDeviceAsync("pump-3");
        var sent = 0;
        foreach (var (device, lost) in new[] { ("pump-1", 2), ("pump-2", 3), ("pump-3", 4) })
        {
            var ask = isKept ? new SessionAsk(Clean: false, Expiry: 600) : null;
            using var client = await RawClient.LoginAsync(host, device, ask: ask);
            await client.SubscribeAsync($"devices/{device}/#", 1);
            await client.ReadAsync();
            var before = host.Meters["deliveries.lost/queue-full"];

            // In a session that is kept, one that is in flight is in the queue still.
            if (!isKept)
            {
                await host.SendAsync(device, "in flight");
                await client.ReadMessageAsync();
            }

            for (var i = 0; i < 5; i++) await host.SendAsync(device, new string('x', 600));
            sent += isKept ? 5 : 6;
            await Eventually.TrueAsync(
                () => host.Meters["deliveries.lost/queue-full"] + host.Meters["deliveries/queued"] == sent, device);
            Assert.That(host.Meters["deliveries.lost/queue-full"] - before, Is.EqualTo(lost), device);
        }
    }

    [Test]
    public async Task What_waits_for_a_slow_reader_is_not_all_given_to_its_socket()
    {
        const int messages = 100;
        await using var host = await StartAsync(("Gateway:Sessions:QueueBytesMax", "64MiB"));
        using var client = await RawClient.OpenAsync(host, receiveBytes: 4_096);
        await client.ConnectAsync("pump-1", GatewayHost.Key);
        await client.ReadAsync();
        await client.SubscribeAsync("devices/pump-1/#", 0);
        await client.ReadAsync();
        var body = new string('x', 200_000);
        for (var i = 0; i < messages; i++) await host.SendAsync("pump-1", body, qos: 0);
        await Eventually.TrueAsync(() => host.Meters["deliveries/queued"] == messages, "all are queued");
        var before = host.Meters["deliveries/sent"];
        Assert.That(before, Is.LessThan(messages / 2), "what sockets hold");

        var buffer = new byte[64 << 10];
        while (host.Meters["deliveries/sent"] == before)
            Assert.That(await client.Stream.ReadAsync(buffer), Is.Positive, "closed");
        Assert.That(host.Meters["deliveries/sent"], Is.LessThan(messages));
    }

    private static async Task<IEnumerable<string>> NamesAsync(GatewayHost host) =>
        (await host.Sessions.OfDeviceAsync("pump-1")).Select(session => session.Key.ClientId);

    private static async Task<GatewayHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = await GatewayHost.StartAsync(settings);
        await host.AddDeviceAsync("pump-1");
        return host;
    }
}
