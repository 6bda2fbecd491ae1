using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Publishing;
using Millrace.Mqtt;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>QoS 2 from the device: into the log exactly once (MQTT 5 §4.3.3, §4.4).</summary>
public class Qos2Tests() : KeptGatewayTests(("Gateway:Sessions:ExchangesMax", "3"))
{
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [Test]
    public async Task A_publish_is_answered_when_it_is_durable_and_its_release_is_completed(
        [Values(MqttVersion.V311, MqttVersion.V5)] MqttVersion version, [Values] bool isKept)
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1", version, ask: isKept ? Kept : null);
        Host.Log.Shut();
        await client.PublishTwiceSafeAsync("a", 4);
        Assert.That(await client.StaysSilentAsync(), "an answer before the log has it");

        Host.Log.Open();
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((4, ReasonCode.Success)));
        await client.PublishTwiceSafeAsync("a", 4, again: true);
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((4, ReasonCode.Success)));
        await client.AnswerAsync(PacketType.PubRel, 4);
        Assert.That(await client.ExpectAsync(PacketType.PubComp), Is.EqualTo((4, ReasonCode.Success)));
        await client.PublishTwiceSafeAsync("b", 4);
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((4, ReasonCode.Success)));

        var records = await Host.TelemetryAsync(2);
        Assert.That(records.Select(r => r.Body), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(records.Select(r => r.Headers["mqtt-exchange"]), Is.EqualTo(new[] { "1:4", "2:4" }));
        Assert.That(records.Select(r => r.Headers["mqtt-session"]).Distinct().Count(), Is.EqualTo(1));
        Assert.That(Host.Meters["exchanges.repeated"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_resumed_session_knows_what_was_taken_and_what_was_released(
        [Values(MqttVersion.V311, MqttVersion.V5)] MqttVersion version, [Values] bool restart)
    {
        using (var first = await RawClient.LoginAsync(Host, "pump-1", version, ask: Kept))
        {
            Assert.That(first.IsPresent, Is.False);
            await first.PublishTwiceSafeAsync("a", 1);
            await first.PublishTwiceSafeAsync("b", 2);
            await first.ExpectAsync(PacketType.PubRec);
            await first.ExpectAsync(PacketType.PubRec);
            await first.AnswerAsync(PacketType.PubRel, 1);
            await first.ExpectAsync(PacketType.PubComp);
        }

        if (restart) await RestartAsync();
        using var second = await RawClient.LoginAsync(Host, "pump-1", version, ask: Kept);
        Assert.That(second.IsPresent);
        await second.PublishTwiceSafeAsync("b", 2, again: true);
        Assert.That(await second.ExpectAsync(PacketType.PubRec), Is.EqualTo((2, ReasonCode.Success)));
        await second.AnswerAsync(PacketType.PubRel, 2);
        Assert.That(await second.ExpectAsync(PacketType.PubComp), Is.EqualTo((2, ReasonCode.Success)));
        await second.PublishTwiceSafeAsync("c", 1);
        Assert.That(await second.ExpectAsync(PacketType.PubRec), Is.EqualTo((1, ReasonCode.Success)));

        var records = await Host.TelemetryAsync(3);
        Assert.That(records.Select(r => (r.Body, r.Headers["mqtt-exchange"])),
            Is.EqualTo(new[] { ("a", "1:1"), ("b", "2:2"), ("c", "3:1") }));
        Assert.That(records.Select(r => r.Headers["mqtt-session"]).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_clean_start_forgets_what_was_open()
    {
        using (var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept))
        {
            await first.PublishTwiceSafeAsync("a", 1);
            await first.ExpectAsync(PacketType.PubRec);
        }

        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept with { Clean = true });
        Assert.That(second.IsPresent, Is.False);
        await second.AnswerAsync(PacketType.PubRel, 1);
        Assert.That(await second.ExpectAsync(PacketType.PubComp),
            Is.EqualTo((1, ReasonCode.PacketIdentifierNotFound)));
        await second.PublishTwiceSafeAsync("b", 1);
        await second.ExpectAsync(PacketType.PubRec);
        var records = await Host.TelemetryAsync(2);
        Assert.That(records.Select(r => r.Headers["mqtt-session"]).Distinct().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_take_over_waits_until_what_the_first_has_taken_is_durable_and_takes_it_no_second_time()
    {
        using var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        Host.Log.Shut();
        await first.PublishTwiceSafeAsync("a", 1);
        await Eventually.TrueAsync(() => Host.Meters["publishes.received"] == 1, "taken");
        using var second = await RawClient.OpenAsync(Host);
        await second.ConnectAsync("pump-1", GatewayHost.Key, ask: Kept);
        Assert.That(await first.ReadEndAsync(), Is.EqualTo(ReasonCode.SessionTakenOver));
        Assert.That(await second.StaysSilentAsync(), "answered while the first has something on its way");

        Host.Log.Open();
        Assert.That((await second.ReadAsync())[2], Is.EqualTo(1), "session present");
        await second.PublishTwiceSafeAsync("a", 1, again: true);
        Assert.That(await second.ExpectAsync(PacketType.PubRec), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That((await Host.TelemetryAsync(1))[0].Body, Is.EqualTo("a"));
    }

    [Test]
    public async Task After_a_crash_the_log_tells_what_was_taken()
    {
        var key = new SessionKey("pump-1", "pump-1");
        var session = (await Host.Sessions.OpenAsync(key, true, 600, DateTimeOffset.UtcNow)).Session;
        var device = "pump-1"u8.ToArray();
        var partition = new TopicPartition(
            Topics.Telemetry, Partitioner.PartitionOf(device, Host.Log.FindTopic(Topics.Telemetry)!.Partitions));
        await Host.Sessions.SaveInboundAsync(key, session.Epoch,
            new InboundExchanges(3, [new OpenExchange(7, 3)], [new PartitionOffset(partition, 0)]));
        using var records = new RecordBatchBuilder();
        Add(records, "released", session.SessionId, "2:6");
        Add(records, "open", session.SessionId, "3:7");
        Add(records, "found", session.SessionId, "4:8");
        Add(records, "of another", "another", "5:9");
        await Host.Log.AppendAsync(partition, records);

        using var client = await RawClient.LoginAsync(Host, "pump-1", MqttVersion.V311, ask: Kept);
        Assert.That(client.IsPresent);
        Assert.That(Host.Meters["exchanges.found"], Is.EqualTo(1));
        foreach (ushort id in new[] { 7, 8, 9 })
        {
            await client.PublishTwiceSafeAsync($"{id}", id, again: true);
            Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((id, ReasonCode.Success)));
        }

        var last = (await Host.TelemetryAsync(5))[^1];
        Assert.That((last.Body, last.Headers["mqtt-exchange"], last.Headers["mqtt-session"]),
            Is.EqualTo(("9", "5:9", session.SessionId)));

        void Add(RecordBatchBuilder target, string body, string of, string exchange)
        {
            target.Begin(0, device);
            target.AddHeader(TelemetryHeaders.MqttSession, Encoding.UTF8.GetBytes(of));
            target.AddHeader(TelemetryHeaders.MqttExchange, Encoding.UTF8.GetBytes(exchange));
            target.End(Encoding.UTF8.GetBytes(body));
        }
    }

    [Test]
    public async Task A_release_between_two_reads_of_one_append_leaves_the_later_to_be_found_after_a_crash()
    {
        var key = new SessionKey("pump-1", "pump-1");
        InboundExchanges saved;
        using (var between = new Holder())
        using (var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept))
        {
            Host.Log.Shut();
            await TakenAsync(client, 1);
            await TakenAsync(client, 2);
            Publish(Host.Publisher.Of(Host.Publisher.PartitionOf("pump-1"u8)), between);
            await TakenAsync(client, 3);
            Host.Log.Open();
            for (var id = 1; id <= 2; id++) await client.ExpectAsync(PacketType.PubRec);
            await between.IsTold;
            await client.AnswerAsync(PacketType.PubRel, 2);
            await client.ExpectAsync(PacketType.PubComp);
            saved = (await Host.Sessions.FindAsync(key))!.Inbound;
            Assert.That(saved.Open, Is.EqualTo(new[] { new OpenExchange(1, 1) }), "the third is not durable yet");
            between.LetGo();
            await client.ExpectAsync(PacketType.PubRec);
        }

        // A crash: what was saved before the third was told is all that is left.
        await Eventually.TrueAsync(() => Host.Meters["connections"] == 0, "away");
        var session = (await Host.Sessions.OpenAsync(key, false, 600, DateTimeOffset.UtcNow)).Session;
        await Host.Sessions.SaveInboundAsync(key, session.Epoch, saved);
        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await second.PublishTwiceSafeAsync("3", 3, again: true);
        Assert.That(await second.ExpectAsync(PacketType.PubRec), Is.EqualTo((3, ReasonCode.Success)));
        Assert.That((await Host.TelemetryAsync(4)).Select(record => record.Body),
            Is.EqualTo(new[] { "1", "2", "between", "3" }));
    }

    private async Task TakenAsync(RawClient client, ushort id)
    {
        await client.PublishTwiceSafeAsync($"{id}", id);
        await Eventually.TrueAsync(() => Host.Meters["publishes.received"] == id, "taken");
    }

    private static void Publish(PartitionPublisher partition, IPublishOwner owner)
    {
        partition.Enter();
        partition.Records.Begin(partition.TimestampMs, "pump-1"u8);
        partition.Records.End("between"u8);
        partition.Exit(owner, 1, 0);
    }

    /// <summary>Holds up the one who tells what is durable.</summary>
    private sealed class Holder : IPublishOwner, IDisposable
    {
        private readonly TaskCompletionSource _isTold = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _letGo = new();

        public Task IsTold => _isTold.Task;

        public void LetGo() => _letGo.Set();

        public void OnDurable(int partition, long lastNumber, long firstOffset)
        {
            _isTold.TrySetResult();
            _letGo.Wait();
        }

        public void StopPublishing()
        {
        }

        public void OnLogFailed(int partition, LogFailure failure)
        {
        }

        public void OnRoom()
        {
        }

        public void Dispose()
        {
            _letGo.Set();
            _letGo.Dispose();
        }
    }

    [Test]
    public async Task A_connection_whose_session_was_opened_elsewhere_can_save_nothing_and_ends()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await client.PublishTwiceSafeAsync("a", 1);
        await client.ExpectAsync(PacketType.PubRec);
        await Host.Sessions.OpenAsync(new SessionKey("pump-1", "pump-1"), false, 600, DateTimeOffset.UtcNow);
        await client.AnswerAsync(PacketType.PubRel, 1);

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.SessionTakenOver));
    }

    [Test]
    public async Task What_the_log_refused_is_not_open()
    {
        using (var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept))
        {
            Host.Log.Fill(true);
            await first.PublishTwiceSafeAsync("a", 1);
            Assert.That(await first.ReadEndAsync(), Is.EqualTo(ReasonCode.QuotaExceeded));
        }

        Host.Log.Fill(false);
        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await second.PublishTwiceSafeAsync("a", 1, again: true);
        await second.ExpectAsync(PacketType.PubRec);
        Assert.That((await Host.TelemetryAsync(1))[0].Headers["mqtt-exchange"], Is.EqualTo("2:1"));
    }

    [Test]
    public async Task What_the_log_has_although_it_failed_is_found_and_not_written_again([Values] bool restart)
    {
        using (var first = await RawClient.LoginAsync(Host, "pump-1", ask: Kept))
        {
            Host.Log.Doubt(true);
            await first.PublishTwiceSafeAsync("a", 1);
            Assert.That(await first.ReadEndAsync(), Is.EqualTo(ReasonCode.ImplementationSpecificError));
        }

        Host.Log.Doubt(false);
        if (restart) await RestartAsync();
        using var second = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        Assert.That(Host.Meters["exchanges.found"], Is.EqualTo(1));
        await second.PublishTwiceSafeAsync("a", 1, again: true);
        await second.ExpectAsync(PacketType.PubRec);
        await second.PublishTwiceSafeAsync("b", 2);
        await second.ExpectAsync(PacketType.PubRec);
        Assert.That((await Host.TelemetryAsync(2)).Select(record => record.Headers["mqtt-exchange"]),
            Is.EqualTo(new[] { "1:1", "2:2" }));
    }

    [Test]
    public async Task A_refused_publish_frees_its_packet_identifier()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        await client.SendAsync(target => client.Publish(
            target, "devices/pump-2/messages/events/", "a", packetId: 1, qos: 2));
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((1, ReasonCode.NotAuthorized)));
        await client.PublishTwiceSafeAsync("b", 1);
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That((await Host.TelemetryAsync(1))[0].Body, Is.EqualTo("b"));
    }

    [Test]
    public async Task Beyond_the_limit_of_open_exchanges_publishes_are_refused()
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        for (ushort id = 1; id <= 4; id++) await client.PublishTwiceSafeAsync($"{id}", id);
        for (var id = 1; id <= 3; id++)
            Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((id, ReasonCode.Success)));
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((4, ReasonCode.QuotaExceeded)));
        Assert.That(Host.Meters["publishes.rejected/too-many-exchanges"], Is.EqualTo(1));
        await client.AnswerAsync(PacketType.PubRel, 1);
        await client.ExpectAsync(PacketType.PubComp);
        await client.PublishTwiceSafeAsync("5", 5);
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((5, ReasonCode.Success)));
    }

    [TestCase(PacketType.PubRec, PacketType.PubRel)]
    [TestCase(PacketType.PubRel, PacketType.PubComp)]
    public async Task Acknowledgements_of_nothing_are_answered_and_the_connection_goes_on(
        PacketType sent, PacketType answer)
    {
        using var client = await RawClient.LoginAsync(Host, "pump-1");
        await client.AnswerAsync(PacketType.PubAck, 9);
        await client.AnswerAsync(PacketType.PubComp, 9);
        await client.AnswerAsync(sent, 9);
        Assert.That(await client.ExpectAsync(answer), Is.EqualTo((9, ReasonCode.PacketIdentifierNotFound)));
    }

    [Test]
    public async Task A_session_that_is_idle_names_no_offsets()
    {
        await RestartAsync(("Gateway:Sessions:ScanIdle", "00:00:01"));
        using var client = await RawClient.LoginAsync(Host, "pump-1", ask: Kept);
        await client.PublishTwiceSafeAsync("a", 1);
        await client.ExpectAsync(PacketType.PubRec);
        var key = new SessionKey("pump-1", "pump-1");
        Assert.That((await Host.Sessions.FindAsync(key))!.Inbound.ScanFrom, Has.Count.EqualTo(1));
        await Eventually.TrueAsync(
            async () => (await Host.Sessions.FindAsync(key))!.Inbound.ScanFrom.Count == 0, "no offsets");
        Assert.That((await Host.Sessions.FindAsync(key))!.Inbound.Open, Is.EqualTo(new[] { new OpenExchange(1, 1) }));
    }
}
