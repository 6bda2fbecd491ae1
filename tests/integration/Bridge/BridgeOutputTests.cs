using System.Collections.Concurrent;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Integration.Tests.Gateway;
using Millrace.Stores.DeadLetters;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>From the event log out to a real mosquitto.</summary>
public class BridgeOutputTests
{
    private static readonly (string, string)[] Alerts =
        [("Outputs:0:From", "alerts"), ("Outputs:0:Topic", "hub/{$.severity}/{key}")];

    private readonly ConcurrentQueue<(string Topic, string Body)> _received = new();

    [Test]
    public async Task Alerts_and_outputs_go_out_by_their_topics_from_when_the_output_is_there()
    {
        await using var broker = await Mosquitto.StartAsync();
        using var subscriber = await SubscribeAsync(broker.Port);
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, more:
            [.. Alerts, ("Outputs:1:From", "out.by_line"), ("Outputs:1:Topic", "hub/lines")]));
        await BridgeIntakeTests.ConnectedAsync(host);
        await CommittedAsync(host, 0);

        // A topic that is made later is sent from its beginning.
        await host.Log.EnsureTopicAsync(new TopicSpec("out.by_line", 1));
        await AppendAsync(host, "out.by_line", 0, "", """{"n":1}""");
        await AlertAsync(host, 0, 1);

        await Eventually.TrueAsync(() => _received.Count >= 2, "both come");
        Assert.That(_received, Is.EquivalentTo(new[]
        {
            ("hub/lines", """{"n":1}"""), ("hub/critical/pump-0", """{"severity":"critical","n":0}"""),
        }));
        await Eventually.TrueAsync(() => host.Meters["bridge.sent/plant"] == 2, "both are acknowledged");
    }

    [Test]
    public async Task What_the_broker_did_not_acknowledge_is_sent_again_over_cuts_and_restarts_in_order()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        await using var proxy = new CutProxy(broker.Port);
        using var subscriber = await SubscribeAsync(broker.Port);
        var settings = BridgeSettings.Of(proxy.Port, more: Alerts);
        var host = await GatewayHost.StartInAsync(folder.Path, settings);
        await BridgeIntakeTests.ConnectedAsync(host);
        await CommittedAsync(host, 0);

        await AlertAsync(host, 0, 50);
        proxy.SwallowUp();
        await AlertAsync(host, 50, 50);
        proxy.Cut();
        await AlertAsync(host, 100, 50);
        proxy.Down(true);
        await AlertAsync(host, 150, 50);
        var before = await host.Log.CommittedAsync("bridge.plant", new TopicPartition(Topics.Alerts, 0));
        Assert.That(before!.NextOffset, Is.LessThanOrEqualTo(150));
        await host.DisposeAsync();
        proxy.Down(false);
        host = await GatewayHost.StartInAsync(folder.Path, settings);

        await Eventually.TrueAsync(() => Received().Distinct().Count() == 200, "all come");
        Assert.That(Received().Distinct(), Is.EqualTo(Enumerable.Range(0, 200)), "in order");
        await CommittedAsync(host, 200);
        await host.DisposeAsync();
    }

    [Test]
    public async Task A_record_that_cannot_be_sent_is_dead_lettered_and_the_next_goes_out()
    {
        await using var broker = await Mosquitto.StartAsync();
        using var subscriber = await SubscribeAsync(broker.Port);
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, more: Alerts));
        await BridgeIntakeTests.ConnectedAsync(host);
        await CommittedAsync(host, 0);

        await AppendAsync(host, Topics.Alerts, 0, "pump-0", "{}");
        await AlertAsync(host, 7, 1);

        await Eventually.TrueAsync(() => !_received.IsEmpty, "the good one comes");
        Assert.That(Received(), Is.EqualTo(new[] { 7 }));
        Assert.That(host.Meters["bridge.unsendable/plant"], Is.EqualTo(1));
        await CommittedAsync(host, 2);
        var letters = await BridgeIntakeTests.LettersAsync(host);
        Assert.That(letters.Single().Id, Is.EqualTo("gateway~alerts~0~0~-1"));
        Assert.That(letters[0].ErrorCode, Is.EqualTo("GW-0106"));
    }

    [Test]
    public async Task A_record_that_could_not_be_sent_is_sent_when_it_is_replayed()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        using var subscriber = await SubscribeAsync(broker.Port);
        var unsendable = BridgeSettings.Of(broker.Port, more: Alerts);
        await using (var host = await GatewayHost.StartInAsync(folder.Path, unsendable))
        {
            await CommittedAsync(host, 0);
            await AppendAsync(host, Topics.Alerts, 0, "pump-0", """{"n":5}""");
            await BridgeReplayTests.StoreLetterAsync(host);
        }

        await using var mended = await GatewayHost.StartInAsync(folder.Path, BridgeSettings.Of(
            broker.Port, more: [Alerts[0], ("Outputs:0:Topic", "hub/{key}")]));
        await BridgeReplayTests.AskAsync(mended);
        Assert.That((await BridgeReplayTests.LetterAsync(mended)).State, Is.EqualTo(DeadLetterState.Replayed));
        await Eventually.TrueAsync(() => !_received.IsEmpty, "it comes");
        Assert.That(_received, Is.EqualTo(new[] { ("hub/pump-0", """{"n":5}""") }));
    }

    [Test]
    public async Task A_message_for_a_device_goes_out_to_it_behind_the_broker_while_its_time_lasts()
    {
        await using var broker = await Mosquitto.StartAsync();
        using var subscriber = await SubscribeAsync(broker.Port);
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, more:
            [("Outputs:0:From", "device-messages"), ("Outputs:0:Topic", "hub/{key}/{topic}")]));
        await BridgeIntakeTests.ConnectedAsync(host);
        var partition = new TopicPartition(Topics.DeviceMessages, Contracts.Partitioner.PartitionOf(
            "pump-1"u8, host.Log.FindTopic(Topics.DeviceMessages)!.Partitions));
        await Eventually.TrueAsync(
            async () => await host.Log.CommittedAsync("bridge.plant", partition) is not null, "it has begun");

        await host.SendAsync("pump-1", "late", expiresAt: DateTimeOffset.UtcNow.AddSeconds(-1));
        await host.SendAsync("pump-1", "stop", topic: "methods/stop/?$rid=1");
        await Eventually.TrueAsync(() => !_received.IsEmpty, "it comes");

        Assert.That(_received, Is.EqualTo(new[] { ("hub/pump-1/methods/stop/?$rid=1", "stop") }));
        Assert.That(host.Meters["bridge.expired/plant"], Is.EqualTo(1));
    }

    [Test]
    public async Task An_output_that_is_gone_does_not_hold_the_log()
    {
        using var folder = new TemporaryFolder();
        await using var broker = new StrictBroker();
        broker.Shut();
        await using (var host = await GatewayHost.StartInAsync(
            folder.Path, BridgeSettings.Of(broker.Port, more: Alerts)))
        {
            await CommittedAsync(host, 0);
            await AlertAsync(host, 0, 3);
            await Eventually.TrueAsync(() => broker.Published.Count > 0, "the first goes out");
        }

        var sent = broker.Published.Count;
        broker.Open();
        (string, string)[] other = [("Outputs:0:From", "device-messages"), ("Outputs:0:Topic", "hub/{key}")];
        await using (var host = await GatewayHost.StartInAsync(
            folder.Path, BridgeSettings.Of(broker.Port, more: other)))
            await CommittedAsync(host, 3);
        Assert.That(broker.Published, Has.Count.EqualTo(sent));

        await using (var host = await GatewayHost.StartInAsync(folder.Path, BridgeSettings.Of(broker.Port)))
        {
            await Eventually.TrueAsync(
                async () => !(await host.Log.GroupsAsync()).Contains("bridge.plant"), "its place is given up");
        }
    }

    [Test]
    public async Task A_new_output_begins_when_it_is_there_though_the_broker_is_not()
    {
        await using var broker = new StrictBroker();
        await using var proxy = new CutProxy(broker.Port);
        proxy.Down(true);
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(proxy.Port, more: Alerts));

        await CommittedAsync(host, 0);
        await AlertAsync(host, 0, 3);
        await Eventually.TrueAsync(
            async () => (await host.Bridges.ListStatusAsync(DateTimeOffset.UnixEpoch)).SingleOrDefault()?.Lag == 3,
            "the status says what waits");
        proxy.Down(false);

        await CommittedAsync(host, 3);
        Assert.That(broker.Published.Select(each => Numbers.Number(each.Body)), Is.EqualTo(new[] { 0, 1, 2 }));
    }

    private IEnumerable<int> Received() => _received.Select(message => Numbers.Number(message.Body));

    private static Task CommittedAsync(GatewayHost host, long offset) => Eventually.TrueAsync(async () =>
        (await host.Log.CommittedAsync("bridge.plant", new TopicPartition(Topics.Alerts, 0)))?.NextOffset == offset,
        $"offset {offset} is committed");

    private static async Task AlertAsync(GatewayHost host, int first, int count)
    {
        for (var n = first; n < first + count; n++)
            await AppendAsync(host, Topics.Alerts, 0, "pump-0", $$"""{"severity":"critical","n":{{n}}}""");
    }

    private static async Task AppendAsync(GatewayHost host, string topic, int partition, string key, string body)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(0, Encoding.UTF8.GetBytes(key));
        records.End(Encoding.UTF8.GetBytes(body));
        await host.Log.AppendAsync(new TopicPartition(topic, partition), records);
    }

    private async Task<IMqttClient> SubscribeAsync(int port)
    {
        _received.Clear();
        var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += message =>
        {
            _received.Enqueue((
                message.ApplicationMessage.Topic, message.ApplicationMessage.ConvertPayloadToString() ?? ""));
            return Task.CompletedTask;
        };
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(MqttProtocolVersion.V500).Build());
        await client.SubscribeAsync("hub/#", MqttQualityOfServiceLevel.AtLeastOnce);
        return client;
    }
}
