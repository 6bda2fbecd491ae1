using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql.Extensions;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Outputs;
using Millrace.Stores.Positions;
using Millrace.Stores.Telemetry;
using Millrace.StreamProcessor.Sinks;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Each sink on a store that refuses some rows for good.</summary>
public class RefusedRowTests
{
    private const int Rows = 20;
    private const string Bad = "bad";
    private static readonly TopicPartition Partition = new("any", 0);
    private static readonly long[] BadOffsets = [0, 7, 8, 19];
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _hub = new ProcessorFixture();
        await _hub.StartTopicsAsync();
    }

    [TearDown]
    public async Task CloseAsync() => await _hub.DisposeAsync();

    [Test]
    public async Task Telemetry_whose_position_the_store_refuses_becomes_a_dead_letter_alone()
    {
        var store = RefusingStore.Of(
            _hub.Get<IPositionStore>(), one => ((DevicePosition)one).DeviceId.StartsWith(Bad));
        var options = Options.Create(new StreamProcessorOptions { Position = "gps" });
        var sink = new TelemetrySink(_hub.Get<ITelemetryStore>(),
            new PositionWriter(store, options, QueryExtensions.None), Letters, Retry, Clock, TimeProvider.System);

        await sink.WriteAsync(Partition, Batch(i => $$"""{"gps":"{{i}}|13"}""", i => $"{Name(i)}{i}"), null, default);

        Assert.That(await _hub.Get<ITelemetryStore>().CountAsync(), Is.EqualTo(Rows - BadOffsets.Length));
        Assert.That((await sink.PositionAsync(Partition, default))!.NextOffset, Is.EqualTo(Rows));
        Assert.That((await store.FindAsync("good13"))!.Latitude, Is.EqualTo(13));
        Assert.That(await LettersAsync(), Is.EqualTo(BadOffsets));
    }

    [Test]
    public async Task An_alert_that_the_store_refuses_becomes_a_dead_letter_alone()
    {
        var store = RefusingStore.Of(_hub.Get<IAlertStore>(), row => ((AlertRow)row).Message == Bad);
        var sink = new AlertSink(store, Letters, Retry, Clock, TimeProvider.System);

        var metadata = await sink.WriteAsync(
            Partition, Batch(i => $$"""{"deviceId":"d{{i}}","message":"{{Name(i)}}"}"""), null, default);

        var kept = await store.QueryAsync(new AlertFilter());
        Assert.That(kept.Items.Select(row => row.DeviceId), Is.EquivalentTo(Good.Select(i => $"d{i}")));
        Assert.That(await sink.PositionAsync(Partition, default), Is.EqualTo(new SinkPosition(Rows, metadata)));
        Assert.That(await LettersAsync(), Is.EqualTo(BadOffsets));
    }

    [Test]
    public async Task An_alert_is_kept_whatever_its_device_writes()
    {
        var store = _hub.Get<IAlertStore>();
        var sink = new AlertSink(store, Letters, Retry, Clock, TimeProvider.System);

        await sink.WriteAsync(Partition, Batch(
            _ => """{"message":"hot\ud800","temp":999,"x":"\ud800","\udc00":[{"y":"\udc00"}]}"""), null, default);

        var kept = (await store.QueryAsync(new AlertFilter())).Items;
        Assert.That(kept, Has.Count.EqualTo(Rows));
        Assert.That(kept[0].Message, Is.EqualTo("hot\ufffd"));
        using var details = JsonDocument.Parse(kept[0].DetailsJson);
        Assert.That(details.RootElement.GetProperty("temp").GetInt32(), Is.EqualTo(999));
        Assert.That(details.RootElement.GetProperty("x").GetString(), Is.EqualTo("\ufffd"));
        Assert.That(details.RootElement.GetProperty("\ufffd")[0].GetProperty("y").GetString(), Is.EqualTo("\ufffd"));
        Assert.That(await LettersAsync(), Is.Empty);
    }

    [Test]
    public async Task An_output_row_that_the_store_refuses_becomes_a_dead_letter_alone()
    {
        var store = RefusingStore.Of(_hub.Get<IOutputStore>(), row => ((OutputRow)row).Json.Contains(Bad));
        var sink = new OutputSink(
            "o", store, row => !row.Json.Contains("13"), Letters, Retry, Clock, TimeProvider.System);

        await sink.WriteAsync(Partition, Batch(i => $$"""{"n":{{i}},"name":"{{Name(i)}}"}"""), null, default);

        var kept = await store.QueryAsync("o", null, null, 100, null);
        Assert.That(kept.Items.Select(row => JsonDocument.Parse(row.Json).RootElement.GetProperty("n").GetInt64()),
            Is.EquivalentTo(Good.Where(i => i != 13)));
        Assert.That((await sink.PositionAsync(Partition, default))!.NextOffset, Is.EqualTo(Rows));
        Assert.That(await LettersAsync(), Is.EqualTo(BadOffsets));
    }

    [Test]
    public async Task An_event_of_a_device_that_the_store_refuses_becomes_a_dead_letter_alone()
    {
        var store = RefusingStore.Of(
            _hub.Get<IDeviceStateStore>(), one => ((LifecycleEvent)one).DeviceId.StartsWith(Bad));
        var sink = new DeviceStateSink(store, _hub.Get<ITelemetryStore>(), _hub.Get<IPositionStore>(), Letters, Retry,
            TimeProvider.System);

        await sink.WriteAsync(Partition, Batch(i => JsonSerializer.Serialize(
            new LifecycleEvent(LifecycleKind.Connected, $"{Name(i)}{i}", Now, ConnectionId: "c", ConnectedAt: Now),
            ContractJson.Default.LifecycleEvent)), null, default);

        Assert.That(await store.CountConnectedAsync(), Is.EqualTo(Rows - BadOffsets.Length));
        Assert.That((await sink.PositionAsync(Partition, default))!.NextOffset, Is.EqualTo(Rows));
        Assert.That(await LettersAsync(), Is.EqualTo(BadOffsets));
    }

    [Test]
    public async Task A_dead_letter_that_the_store_refuses_is_kept_without_its_record_and_makes_no_other()
    {
        var store = RefusingStore.Of(_hub.Get<IDeadLetterStore>(), row => ((DeadLetter)row).Value.Length > 10);
        var sink = new DeadLetterSink(store, Retry, TimeProvider.System);

        var batches = Batch(i => JsonSerializer.Serialize(Letter(i), ContractJson.Default.DeadLetter));
        await sink.WriteAsync(Partition, batches, null, default);

        var kept = (await store.ListAsync(new DeadLetterFilter(Limit: 100))).Items.Select(one => one.Letter).ToList();
        Assert.That(kept, Has.Count.EqualTo(Rows));
        Assert.That(kept.Where(one => one.Value.Length == 0).Select(one => one.Offset),
            Is.EquivalentTo(BadOffsets.Select(offset => offset + 1_000)));
        Assert.That(kept.Single(one => one.Offset == 1_007).Reason, Does.Contain("offset 7").And.Contain("ST-0006"));
        Assert.That((await sink.PositionAsync(Partition, default))!.NextOffset, Is.EqualTo(Rows));
        Assert.That(await LettersAsync(), Is.Empty);
    }

    private DeadLetterWriter Letters => _hub.Get<DeadLetterWriter>();

    private StoreRetry Retry => _hub.Get<StoreRetry>();

    private RecordClock Clock => _hub.Get<RecordClock>();

    private static IEnumerable<long> Good => Enumerable.Range(0, Rows).Select(i => (long)i).Except(BadOffsets);

    private static string Name(int i) => BadOffsets.Contains(i) ? Bad : "good";

    private static DeadLetter Letter(int i) => new(DeadLetterStages.WarmWriter, null, 0, "t", 0, i + 1_000, -1,
        "SP-0002", "why", Now, Now, null, 0, [], new byte[BadOffsets.Contains(i) ? 11 : 10]);

    private static RecordBatch[] Batch(Func<int, string> body, Func<int, string>? device = null)
    {
        using var records = new RecordBatchBuilder();
        for (var i = 0; i < Rows; i++)
        {
            var key = Encoding.UTF8.GetBytes(device?.Invoke(i) ?? "");
            records.Begin(Now.ToUnixTimeMilliseconds(), key, hasKey: device is not null);
            records.End(Encoding.UTF8.GetBytes(body(i)));
        }

        return [new RecordBatch(Partition, 0, Rows, records.Bytes.ToArray())];
    }

    /// <summary>The offsets of the records that the dead-letter topic has.</summary>
    private async Task<List<long>> LettersAsync()
    {
        var offsets = new List<long>();
        var topic = new TopicPartition(Topics.DeadLetter, 0);
        var range = await _hub.Log.RangeAsync(topic);
        await using var reader = _hub.Log.OpenReader(topic, range.First);
        while (reader.Position < range.Next) Collect(await reader.ReadAsync(), offsets);
        return [.. offsets.Order()];
    }

    private static void Collect(RecordBatch batch, List<long> offsets)
    {
        foreach (var record in batch)
            offsets.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!.Offset);
    }
}
