using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Mqtt;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What a device meets at each limit, and that others do not.</summary>
public class LimitTests
{
    [Test]
    public async Task A_device_over_its_rate_is_slowed_loses_nothing_and_others_go_on()
    {
        await using var host = await StartAsync(("Device:MessagesPerSecond", "100"), ("Burst", "00:00:01"));
        using var fast = await RawClient.LoginAsync(host, "pump-1", MqttVersion.V311);
        using var other = await RawClient.LoginAsync(host, "pump-2");
        var watch = Stopwatch.StartNew();
        await SendAsync(fast, count: 300);
        await other.PublishAsync("telemetry", "other", 1);
        Assert.That(await other.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        for (var id = 1; id <= 300; id++) Assert.That(await fast.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)));

        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(1.9)), "100 at once and 200 at 100 a second");
        Assert.That(host.Meters["pauses/device-rate"], Is.Positive);
        Assert.That((await host.TelemetryAsync(301)).Where(r => r.DeviceId == "pump-1").Select(r => r.Body),
            Is.EqualTo(Enumerable.Range(1, 300).Select(i => $"{i}")));
    }

    [Test]
    public async Task All_devices_together_are_slowed_to_the_rate_of_the_hub()
    {
        await using var host = await StartAsync(("Hub:BytesPerSecond", "4000"), ("Burst", "00:00:01"));
        using var first = await RawClient.LoginAsync(host, "pump-1");
        using var second = await RawClient.LoginAsync(host, "pump-2");
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(SendAsync(first, 50, new string('x', 100)), SendAsync(second, 50, new string('x', 100)));
        await host.TelemetryAsync(100);

        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(1)), "20 kB at 4 kB a second");
        Assert.That(host.Meters["pauses/hub-rate"], Is.Positive);
    }

    [Test]
    public async Task A_message_counts_as_what_is_stored_of_it_however_little_was_sent()
    {
        await using var host = await StartAsync(("Device:BytesPerSecond", "4000"), ("Burst", "00:00:01"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        var topic = $"devices/pump-1/messages/events/note={new string('x', 1_000)}";
        await client.PublishAsync(topic, "0", 1, properties: [35, 0, 1]);
        var watch = Stopwatch.StartNew();
        var burst = new ArrayBufferWriter<byte>();
        for (ushort i = 2; i <= 11; i++) client.Publish(burst, "", "x", i, properties: [35, 0, 1]);
        await client.SendAsync(burst.WrittenMemory.ToArray());
        for (var id = 1; id <= 11; id++) Assert.That(await client.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)));

        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(1)), "12 kB at 4 kB a second");
        Assert.That(host.Meters["pauses/device-rate"], Is.Positive);
        await host.TelemetryAsync(11);
    }

    [TestCase(MqttVersion.V5)]
    [TestCase(MqttVersion.V311)]
    public async Task A_device_that_stays_over_its_rate_is_disconnected(MqttVersion version)
    {
        await using var host = await StartAsync(
            ("Device:MessagesPerSecond", "10"), ("Burst", "00:00:01"), ("SlowedMax", "00:00:01"));
        using var client = await RawClient.LoginAsync(host, "pump-1", version);
        await SendAsync(client, count: 200);

        Assert.That(await client.ReadEndAsync(),
            Is.EqualTo(version == MqttVersion.V5 ? ReasonCode.QuotaExceeded : (ReasonCode?)null));
        await Eventually.TrueAsync(() => host.Meters["disconnects/rate-exceeded"] == 1, "counted");
        Assert.That((await host.TelemetryAsync()).Count, Is.LessThan(50));
    }

    [Test]
    public async Task Beyond_the_day_a_publish_is_refused_and_in_3_1_1_the_connection_closed_without_ack()
    {
        await using var host = await StartAsync(("Device:MessagesPerDay", "3"));
        using var v5 = await RawClient.LoginAsync(host, "pump-1");
        for (ushort id = 1; id <= 4; id++) await v5.PublishAsync("telemetry", "{}", id);
        for (var id = 1; id <= 3; id++) Assert.That(await v5.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)));
        Assert.That(await v5.ReadAckAsync(), Is.EqualTo((4, ReasonCode.QuotaExceeded)));

        using var v311 = await RawClient.LoginAsync(host, "pump-1", MqttVersion.V311, clientId: "b");
        await v311.PublishAsync("telemetry", "{}", 1);
        Assert.That(await v311.ReadAsync(), Is.Empty);
        Assert.That(host.Meters["publishes.rejected/day-quota-reached"], Is.EqualTo(2));
        await host.TelemetryAsync(3);
    }

    [TestCase("telemetry", "MessagesPerDay", "1")]
    [TestCase("telemetry", "BytesPerDay", "15")]
    [TestCase("fleet/pump-1/state", "MessagesPerDay", "1")]
    public async Task Beyond_the_day_a_will_is_refused(string topic, string limit, string max)
    {
        await using var host = await StartWithSpacesAsync(($"Device:{limit}", max));
        using (var client = await RawClient.LoginAsync(host, "pump-1", will: topic))
        {
            await client.PublishAsync("telemetry", "{}", 1);
            Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        }

        await Eventually.TrueAsync(() => host.Meters["publishes.rejected/day-quota-reached"] == 1, "refused");
        Assert.That((await host.TelemetryAsync(1)).Select(record => record.Body), Is.EqualTo(["{}"]));
    }

    [TestCase("telemetry")]
    [TestCase("fleet/pump-1/state")]
    public async Task A_will_counts_in_the_day_of_its_device_alone(string topic)
    {
        await using var host = await StartWithSpacesAsync(("Device:MessagesPerDay", "1"));
        using (await RawClient.LoginAsync(host, "pump-1", will: topic))
        {
        }

        await Eventually.TrueAsync(() => host.Meters["publishes.accepted"] == 1, "published");
        using var same = await RawClient.LoginAsync(host, "pump-1");
        await same.PublishAsync("telemetry", "{}", 1);
        Assert.That(await same.ReadAckAsync(), Is.EqualTo((1, ReasonCode.QuotaExceeded)));
        using var other = await RawClient.LoginAsync(host, "pump-2");
        await other.PublishAsync("telemetry", "{}", 1);
        Assert.That(await other.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
    }

    [Test]
    public async Task A_device_that_connects_too_often_is_told_so()
    {
        await using var host = await StartAsync(("Device:ConnectsPerSecond", "1"), ("Burst", "00:00:02"));
        for (var i = 0; i < 2; i++) (await RawClient.LoginAsync(host, "pump-1")).Dispose();
        using var v5 = await RawClient.OpenAsync(host);
        await v5.ConnectAsync("pump-1", GatewayHost.Key);
        Assert.That((await v5.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.ConnectionRateExceeded));
        using var v311 = await RawClient.OpenAsync(host, MqttVersion.V311);
        await v311.ConnectAsync("pump-1", GatewayHost.Key);
        Assert.That((await v311.ReadAsync())[3], Is.EqualTo(3));

        Assert.That(host.Meters["refusals/connect-rate-device"], Is.EqualTo(2));
        using var other = await RawClient.LoginAsync(host, "pump-2");
    }

    [Test]
    public async Task Connects_above_the_rate_of_the_hub_wait_for_their_turn_and_far_ones_are_closed()
    {
        await using var host = await StartAsync(
            ("Hub:ConnectsPerSecond", "2"), ("Burst", "00:00:01"), ("ConnectWaitMax", "00:00:01"));
        var watch = Stopwatch.StartNew();
        var logins = Enumerable.Range(0, 6).Select(async i =>
        {
            try
            {
                using var client = await RawClient.OpenAsync(host);
                await client.ConnectAsync("pump-1", GatewayHost.Key, clientId: $"c{i}");
                return (await client.ReadAsync()).Length > 0;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        var let = await Task.WhenAll(logins);

        Assert.That(let.Count(each => each), Is.InRange(4, 5));
        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(0.9)));
        Assert.That(host.Meters["refusals/connect-rate"], Is.InRange(1, 2));
        Assert.That(host.Meters["pauses/connect-rate"], Is.Positive);
    }

    [Test]
    public async Task A_device_has_so_many_connections_and_may_take_its_own_over()
    {
        await using var host = await StartAsync(("Device:ConnectionsMax", "2"));
        using var a = await RawClient.LoginAsync(host, "pump-1", clientId: "a");
        using var b = await RawClient.LoginAsync(host, "pump-1", clientId: "b");
        using var c = await RawClient.OpenAsync(host);
        await c.ConnectAsync("pump-1", GatewayHost.Key, clientId: "c");
        Assert.That((await c.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.QuotaExceeded));
        Assert.That(host.Meters["refusals/connections-max-device"], Is.EqualTo(1));

        using var again = await RawClient.LoginAsync(host, "pump-1", clientId: "a");
        Assert.That(await a.ReadEndAsync(), Is.EqualTo(ReasonCode.SessionTakenOver));
        using var other = await RawClient.LoginAsync(host, "pump-2");
    }

    [Test]
    public async Task A_named_device_is_granted_its_own_packet_size_and_window()
    {
        await using var host = await StartAsync(
            ("Devices:0:DeviceIds:0", "pump-2"), ("Devices:0:InFlightMax", "1"), ("Devices:0:PacketBytesMax", "200"));
        using var client = await RawClient.OpenAsync(host);
        await client.ConnectAsync("pump-2", GatewayHost.Key);
        var answer = Convert.ToHexString(await client.ReadAsync());
        Assert.That(answer, Does.Contain("210001").And.Contain("27000000C8"), "receive maximum and packet size");

        await client.PublishAsync("telemetry", new string('x', 250), 1);
        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.PacketTooLarge));
        using var other = await RawClient.LoginAsync(host, "pump-1");
        await other.PublishAsync("telemetry", new string('x', 250), 1);
        Assert.That(await other.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
    }

    [Test]
    public async Task Topics_and_filters_have_a_length_and_levels()
    {
        await using var host = await StartAsync(
            ("Device:TopicBytesMax", "60"), ("Device:TopicLevelsMax", "5"), ("Device:SubscriptionsMax", "1"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        await client.PublishAsync($"telemetry/{new string('x', 51)}", "{}", 1, properties: [35, 0, 1]);
        await client.PublishAsync("telemetry/a/b/c/d/e", "{}", 2);
        await client.PublishAsync("telemetry/a/b/c/d", "{}", 3);
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((2, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((3, ReasonCode.Success)));
        Assert.That(host.Meters["publishes.rejected/topic-too-long"], Is.EqualTo(1));
        Assert.That(host.Meters["publishes.rejected/topic-too-deep"], Is.EqualTo(1));

        await client.SubscribeAsync("$iothub/a/b/c/d/e", 1);
        Assert.That((await client.ReadAsync())[^1], Is.EqualTo((byte)ReasonCode.TopicFilterInvalid));
        await client.SendAsync([0x82, 27, 0, 9, 0, 0, 9, .. "$iothub/a"u8, 1, 0, 9, .. "$iothub/b"u8, 1]);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 5, 0, 9, 0, 1, 0x97 }));
        Assert.That(host.Meters["subscriptions.refused/subscriptions-max"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_topic_that_is_too_long_is_refused_under_its_alias_too()
    {
        await using var host = await StartAsync(("Device:TopicBytesMax", "60"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        await client.PublishAsync($"telemetry/{new string('x', 51)}", "{}", 1, properties: [35, 0, 1]);
        await client.PublishAsync("", "{}", 2, properties: [35, 0, 1]);
        await client.PublishAsync("telemetry/x", "{}", 3, properties: [35, 0, 1]);
        await client.PublishAsync("", "{}", 4, properties: [35, 0, 1]);
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((2, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((3, ReasonCode.Success)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((4, ReasonCode.Success)));
    }

    [Test]
    public async Task A_refusal_says_in_words_which_limit_it_was()
    {
        await using var host = await StartAsync(("Device:TopicBytesMax", "60"), ("Device:TopicLevelsMax", "5"));
        using var client = await RawClient.LoginAsync(host, "pump-1");
        await client.PublishAsync($"telemetry/{new string('x', 51)}", "{}", 1);
        Assert.That(Encoding.UTF8.GetString(await client.ReadAsync()), Does.EndWith("The topic is too long."));
        await client.PublishAsync("telemetry/a/b/c/d/e", "{}", 2);
        Assert.That(Encoding.UTF8.GetString(await client.ReadAsync()), Does.EndWith("The topic has too many levels."));
    }

    [Test]
    public async Task A_client_that_reads_nothing_is_cut_off()
    {
        await using var host = await StartAsync(("UnreadTimeout", "00:00:01"), ("Device:MessagesPerSecond", "0"));
        using var client = await RawClient.OpenAsync(host, receiveBytes: 4_096);
        await client.ConnectAsync("pump-1", GatewayHost.Key);
        await client.ReadAsync();
        var pings = new byte[1 << 20];
        for (var i = 0; i < pings.Length; i += 2) pings[i] = 0xC0;
        var sending = Task.Run(async () =>
        {
            while (true) await client.SendAsync(pings);
        });

        await Eventually.TrueAsync(() => host.Meters["disconnects/unread"] == 1, "cut off");
        await Assert.ThatAsync(() => sending, Throws.Exception);
        Assert.That(host.Meters["connections"], Is.Zero);
    }

    [Test]
    public async Task Guessing_at_a_device_is_slowed_and_the_device_itself_gets_in()
    {
        await using var host = await StartAsync(
            ("Logins:DeviceFailuresPerMinute", "5"), ("Logins:DelayMax", "00:00:01"));
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 8; i++)
        {
            using var guess = await RawClient.OpenAsync(host);
            await guess.ConnectAsync("pump-1", $"guess-{i}");
            Assert.That((await guess.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.BadUserNameOrPassword));
        }

        using var device = await RawClient.LoginAsync(host, "pump-1");
        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(2.9)), "from the sixth on, each waits a second");
        Assert.That(host.Meters["pauses/login-failures"], Is.EqualTo(4));
    }

    [Test]
    public async Task A_login_that_takes_too_long_is_told_to_come_again()
    {
        await using var host = await GatewayHost.StartAsync(("Gateway:ConnectTimeout", "00:00:01"),
            ("Gateway:Limits:Logins:DeviceFailuresPerMinute", "1"));
        await host.AddDeviceAsync("pump-1");
        using var guess = await RawClient.OpenAsync(host);
        await guess.ConnectAsync("pump-1", "guess");
        await guess.ReadAsync();

        using var device = await RawClient.OpenAsync(host);
        await device.ConnectAsync("pump-1", GatewayHost.Key);
        Assert.That((await device.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.ServerUnavailable));
        await Eventually.TrueAsync(() => host.Meters["disconnects/login-timeout"] == 1, "counted");
    }

    [Test]
    public async Task A_login_that_has_taken_too_long_takes_nothing_over_when_it_is_looked_up_at_last()
    {
        HeldIdentities identities = null!;
        await using var host = await GatewayHost.StartChangedAsync(services =>
        {
            var store = services.Last(each => each.ServiceType == typeof(IIdentityStore)).ImplementationFactory!;
            services.AddSingleton<IIdentityStore>(
                provider => identities = new HeldIdentities((IIdentityStore)store(provider)));
        }, ("Gateway:ConnectTimeout", "00:00:01"));
        await host.AddDeviceAsync("pump-1");
        using var first = await RawClient.LoginAsync(host, "pump-1", clientId: "c");
        identities.Hold();
        await host.NoticeAsync("pump-1");
        await Eventually.TrueAsync(() => identities.Waiting == 1, "what was known of it is forgotten");

        using var second = await RawClient.OpenAsync(host);
        await second.ConnectAsync("pump-1", GatewayHost.Key, clientId: "c");
        Assert.That((await second.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.ServerUnavailable));
        identities.LetGo();
        await Eventually.TrueAsync(() => host.Meters["disconnects/login-timeout"] == 1, "it is over");
        await first.PublishAsync("telemetry", "{}", 1);
        Assert.That(await first.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
    }

    private static Task<GatewayHost> StartAsync(params (string Key, string Value)[] limits) =>
        StartAsync([], limits);

    private static Task<GatewayHost> StartWithSpacesAsync(params (string Key, string Value)[] limits) =>
        StartAsync(SpaceSettings.With(), limits);

    private static async Task<GatewayHost> StartAsync(
        (string Key, string Value)[] settings, (string Key, string Value)[] limits)
    {
        var host = await GatewayHost.StartAsync(
            [.. settings, .. limits.Select(l => ($"Gateway:Limits:{l.Key}", l.Value))]);
        await host.AddDeviceAsync("pump-1");
        await host.AddDeviceAsync("pump-2");
        return host;
    }

    private static Task SendAsync(RawClient client, int count, string? body = null)
    {
        var burst = new ArrayBufferWriter<byte>();
        for (var i = 1; i <= count; i++) client.Publish(burst, "telemetry", body ?? $"{i}", (ushort)i);
        return client.SendAsync(burst.WrittenMemory.ToArray());
    }
}
