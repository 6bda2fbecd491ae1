using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Link;
using Millrace.Stores.Bridges;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Bridge;

public class BridgeSessionReaderTests
{
    [Test]
    public async Task What_readers_could_not_see_yet_is_found()
    {
        await using var log = new LateLog();
        var reader = new BridgeSessionReader(new BridgeSession("plant", "a", "session", 5, [], [0]));

        var partition = new TopicPartition(Contracts.Topics.Telemetry, 0);

        var end = await reader.ReadAsync(log, partition, CancellationToken.None);

        Assert.That(end, Is.EqualTo(1));
        Assert.That(reader.InLog, Is.EqualTo(new[] { ((ushort)9, 7L) }));
    }

    /// <summary>Has one record, which readers see when it is waited for.</summary>
    private sealed class LateLog() : ForwardingLog(null!)
    {
        private bool _isSettled;

        public override ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
            new(new OffsetRange(0, _isSettled ? 1 : 0));

        public override ValueTask<OffsetRange> SettledRangeAsync(
            TopicPartition partition, CancellationToken ct = default)
        {
            _isSettled = true;
            return RangeAsync(partition, ct);
        }

        public override IPartitionReader OpenReader(TopicPartition partition, long offset) => new Reader(partition);
    }

    private sealed class Reader(TopicPartition partition) : IPartitionReader
    {
        public long Position { get; private set; }

        public ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default) =>
            throw new NotSupportedException();

        public ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
        {
            if (Position > 0) return new((RecordBatch?)null);
            Position = 1;
            using var records = new RecordBatchBuilder();
            records.Begin(0, "pump-1"u8);
            records.AddHeader(TelemetryHeaders.MqttSession, "session"u8);
            records.AddHeader(TelemetryHeaders.MqttExchange, Encoding.UTF8.GetBytes("7:9"));
            records.End("{}"u8);
            return new(new RecordBatch(partition, 0, records.Count, records.Bytes.ToArray()));
        }

        public void Seek(long offset) => Position = offset;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
