using System.Buffers;
using Millrace.Mqtt;
using Millrace.Mqtt.Properties;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

public class PublishTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await GatewayHost.StartAsync(
            ("Gateway:InFlightMax", "8"),
            ("Gateway:PropertiesMax", "4"),
            ("Gateway:TopicMappings:0:Template", "factory/{line}/{deviceId}/data"),
            ("Gateway:TopicMappings:1:Template", "plain/#"),
            ("Gateway:TrustedDevices:0", "collector"));
        await _host.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [TestCase(MqttVersion.V311)]
    [TestCase(MqttVersion.V5)]
    public async Task A_message_is_acknowledged_only_when_the_log_has_it(MqttVersion version)
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1", version);
        _host.Log.Shut();

        await client.PublishAsync("devices/pump-1/messages/events/", "{}", packetId: 7);
        Assert.That(await client.StaysSilentAsync(), "an ack came before the log had the record");
        Assert.That(await _host.TelemetryAsync(), Is.Empty);

        _host.Log.Open();
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((7, ReasonCode.Success)));
        var record = (await _host.TelemetryAsync(1))[0];
        Assert.That(record.DeviceId, Is.EqualTo("pump-1"));
        Assert.That(record.Body, Is.EqualTo("{}"));
        Assert.That(record.Headers["auth-method"], Is.EqualTo("key"));
        Assert.That(record.Headers["generation-id"], Is.EqualTo("generation-of-pump-1"));
    }

    [Test]
    public async Task Acks_come_in_the_order_of_the_publishes_and_records_too()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        for (var round = 0; round < 50; round++)
        {
            var burst = new ArrayBufferWriter<byte>();
            for (ushort id = 1; id <= 8; id++) client.Publish(burst, "telemetry", $"{round * 8 + id}", id);
            await client.SendAsync(burst.WrittenMemory.ToArray());
            for (var id = 1; id <= 8; id++)
                Assert.That(await client.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)));
        }

        var records = await _host.TelemetryAsync(400);
        Assert.That(records.Select(r => int.Parse(r.Body)), Is.EqualTo(Enumerable.Range(1, 400)));
        Assert.That(records.Select(r => r.TimestampMs), Is.Ordered);
        Assert.That(_host.Meters["publishes.received"], Is.EqualTo(400));
        Assert.That(_host.Meters["publishes.accepted"], Is.EqualTo(400));
        Assert.That(_host.Meters["publishes.inflight"], Is.Zero);
    }

    [Test]
    public async Task A_refused_publish_is_answered_in_its_turn_and_the_connection_goes_on()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        _host.Log.Shut();
        await client.PublishAsync("telemetry", "1", 1);
        await client.PublishAsync("devices/pump-2/messages/events/", "2", 2);
        await client.PublishAsync("nobody/knows/this", "3", 3);
        await client.PublishAsync("devices/pump-1/messages/events/%zz=1", "4", 4);
        await client.PublishAsync("devices/pump-1/messages/events/a=1&b=2&c=3&d=4&e=5", "5", 5);
        await client.PublishAsync("telemetry", "6", 6);
        Assert.That(await client.StaysSilentAsync(), "an ack overtook one before it");

        _host.Log.Open();
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((2, ReasonCode.NotAuthorized)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((3, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((4, ReasonCode.TopicNameInvalid)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((5, ReasonCode.QuotaExceeded)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((6, ReasonCode.Success)));
        Assert.That((await _host.TelemetryAsync(2)).Select(r => r.Body), Is.EqualTo(new[] { "1", "6" }));
        Assert.That(_host.Meters["publishes.rejected/topic-of-another"], Is.EqualTo(1));
        Assert.That(_host.Meters["publishes.rejected/topic-unknown"], Is.EqualTo(1));
        Assert.That(_host.Meters["publishes.rejected/property-bag-invalid"], Is.EqualTo(1));
        Assert.That(_host.Meters["publishes.rejected/too-many-properties"], Is.EqualTo(1));
    }

    [Test]
    public async Task In_3_1_1_a_refused_publish_ends_the_connection()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V311);
        await client.PublishAsync("devices/pump-2/messages/events/", "{}", 1);

        Assert.That(await client.ReadAsync(), Is.Empty);
        Assert.That(await _host.TelemetryAsync(), Is.Empty);
    }

    [Test]
    public async Task A_property_bag_and_the_properties_of_mqtt_5_become_headers()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        const string bag = "$.mid=m%201&$.ct=application%2Fjson&line=a%26b";
        await client.PublishAsync($"devices/pump-1/modules/cam/messages/events/{bag}", "{}", 1);
        await client.ReadAckAsync();
        var writer = new PropertyWriter(new byte[256]);
        writer.Number(PropertyId.PayloadFormatIndicator, 1);
        writer.Number(PropertyId.MessageExpiryInterval, 60);
        writer.Bytes(PropertyId.ContentType, "text/plain"u8);
        writer.Bytes(PropertyId.CorrelationData, "c-1"u8);
        writer.Bytes(PropertyId.ResponseTopic, "answer/here"u8);
        writer.User("module-id"u8, "forged"u8);
        await client.PublishAsync("telemetry/temperature/oil", "81", 2, writer.Written.ToArray());
        await client.ReadAckAsync();

        var records = await _host.TelemetryAsync(2);
        Assert.That(records[0].Headers, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["auth-method"] = "key",
            ["generation-id"] = "generation-of-pump-1",
            ["module-id"] = "cam",
            ["message-id"] = "m 1",
            ["content-type"] = "application/json",
            ["app.line"] = "a&b",
        }));
        Assert.That(records[1].Headers, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["auth-method"] = "key",
            ["generation-id"] = "generation-of-pump-1",
            ["mqtt-topic"] = "temperature/oil",
            ["content-type"] = "text/plain",
            ["correlation-id"] = "c-1",
            ["app.mqtt-response-topic"] = "answer/here",
            ["app.module-id"] = "forged",
        }));
    }

    [Test]
    public async Task A_free_topic_names_the_own_device_or_one_that_a_trusted_device_speaks_for()
    {
        await _host.AddDeviceAsync("collector");
        using var pump = await RawClient.LoginAsync(_host, "pump-1");
        using var collector = await RawClient.LoginAsync(_host, "collector");

        await pump.PublishAsync("factory/7/pump-1/data", "own", 1);
        Assert.That(await pump.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        await pump.PublishAsync("factory/7/pump-2/data", "forged", 2);
        Assert.That(await pump.ReadAckAsync(), Is.EqualTo((2, ReasonCode.NotAuthorized)));
        for (ushort i = 1; i <= 8; i++) await collector.PublishAsync($"factory/7/sensor-{i}/data", "brought", i);
        for (var i = 1; i <= 8; i++)
            Assert.That(await collector.ReadAckAsync(), Is.EqualTo((i, ReasonCode.Success)));
        await collector.PublishAsync("plain/a/b", "its own", 9);
        await collector.ReadAckAsync();

        var records = await _host.TelemetryAsync(10);
        var own = records.Single(r => r.Body == "own");
        Assert.That((own.DeviceId, own.Headers["app.line"], own.Headers["mqtt-topic"]),
            Is.EqualTo(("pump-1", "7", "factory/7/pump-1/data")));
        var brought = records.Where(r => r.Body == "brought").ToList();
        Assert.That(brought.Select(r => r.DeviceId),
            Is.EquivalentTo(Enumerable.Range(1, 8).Select(i => $"sensor-{i}")));
        Assert.That(brought.Select(r => r.Headers["auth-method"]), Is.All.EqualTo("trusted:collector"));
        Assert.That(brought.Select(r => r.Partition).Distinct().Count(), Is.GreaterThan(1));
        Assert.That(records.Single(r => r.Body == "its own").DeviceId, Is.EqualTo("collector"));
    }

    [Test]
    public async Task When_the_log_fails_connections_end_without_an_ack_and_it_goes_on_when_the_log_recovers()
    {
        using var v5 = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V5, "a");
        using var v311 = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V311, "b");
        _host.Log.Fill(full: true);
        await v5.PublishAsync("telemetry", "lost", 1);
        Assert.That(await v5.ReadEndAsync(), Is.EqualTo(ReasonCode.QuotaExceeded));
        await v311.PublishAsync("telemetry", "lost", 1);
        Assert.That(await v311.ReadAsync(), Is.Empty);
        Assert.That(_host.Meters["publishes.rejected/log-failed"], Is.EqualTo(2));

        _host.Log.Fill(full: false);
        using var again = await RawClient.LoginAsync(_host, "pump-1");
        await again.PublishAsync("telemetry", "kept", 1);
        Assert.That(await again.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That((await _host.TelemetryAsync(1))[0].Body, Is.EqualTo("kept"));
    }

    [Test]
    public async Task More_than_the_receive_maximum_ends_an_mqtt_5_connection_and_makes_a_3_1_1_one_wait()
    {
        using var v5 = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V5, "a");
        using var v311 = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V311, "b");
        _host.Log.Shut();
        for (ushort id = 1; id <= 9; id++) await v5.PublishAsync("telemetry", "{}", id);
        Assert.That(await v5.ReadEndAsync(), Is.EqualTo(ReasonCode.ReceiveMaximumExceeded));

        for (ushort id = 1; id <= 20; id++) await v311.PublishAsync("telemetry", "{}", id);
        await Eventually.TrueAsync(() => _host.Meters["pauses/in-flight"] > 0, "a pause");
        _host.Log.Open();
        for (var id = 1; id <= 20; id++) Assert.That(await v311.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)));
        await _host.TelemetryAsync(28);
    }
}
