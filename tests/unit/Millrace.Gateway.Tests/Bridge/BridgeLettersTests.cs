using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Bridge.Intake;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Publishing;
using Millrace.TestKit;
using MQTTnet.Packets;

namespace Millrace.Gateway.Tests.Bridge;

public class BridgeLettersTests
{
    private const int RecordBytesMax = 256 << 10;

    [Test]
    public async Task However_many_there_are_and_however_large_one_is_each_is_durable_and_no_append_is_too_large()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var metrics = new GatewayMetrics(meters);
        using var bridgeMetrics = new BridgeMetrics(meters);
        var (time, gateway) = (TimeProvider.System, new GatewayOptions());
        var options = new BridgeOptions { Name = "plant" };
        var state = new BridgeState(options, bridgeMetrics, time, NullLogger.Instance);
        var encoder = new BridgeEncoder(options.Name, gateway.PropertiesMax);
        var log = new NarrowLog();
        var letters = new BridgeLetters(options, encoder, 4 << 20, log, state, time);
        var publisher = new TelemetryPublisher(log, null!, null!, null!, time, metrics, null!);
        var lane = new BridgeIntake(options, gateway, encoder, publisher, letters, metrics, state).LettersLane;
        var packet = new MqttPublishPacket { Topic = "plant/press" };

        while (!letters.IsFull) Add(60_000);
        Add(240_000);
        letters.Stop();
        await letters.RunAsync(lane);

        Assert.That((state.Status(0, 0).LastError, lane.Durable), Is.EqualTo(((string?)null, lane.Taken)));
        Assert.That(log.Letters, Has.Count.EqualTo(lane.Taken));
        Assert.That(log.Letters[..^1].Select(letter => letter.Value.Length), Has.All.EqualTo(60_000));
        Assert.That(log.Letters[^1].Value, Is.Empty);
        Assert.That(log.Letters[^1].Reason, Does.StartWith("topic-unknown").And.Contain("240000 bytes"));

        void Add(int bytes) =>
            letters.Add(packet, new byte[bytes], MappingFailure.TopicUnknown, packet.Topic, ++lane.Taken);
    }

    /// <summary>A log that takes little at once.</summary>
    private sealed class NarrowLog() : ForwardingLog(null!), IEventLog
    {
        public List<DeadLetter> Letters { get; } = [];

        long IEventLog.RecordBytesMax => BridgeLettersTests.RecordBytesMax;

        public override ValueTask<OffsetRange> AppendAsync(
            TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
        {
            if (records.ByteCount > BridgeLettersTests.RecordBytesMax)
                throw EventLogErrors.AppendTooLarge.With($"{records.ByteCount} bytes").AsException();
            var first = Letters.Count;
            foreach (var record in new RecordBatch(partition, 0, records.Count, records.Bytes))
                Letters.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!);
            return ValueTask.FromResult(new OffsetRange(first, Letters.Count));
        }
    }
}
