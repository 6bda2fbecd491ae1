using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Publishing;
using MQTTnet.Packets;

namespace Millrace.Gateway.Bridge.Intake;

/// <summary>
/// A bridge's way into the dead-letter topic: letters gather while the ones before are written, and their messages are
/// acknowledged when they are durable.
/// </summary>
internal sealed class BridgeLetters(
    BridgeOptions options, BridgeEncoder encoder, long bufferBytesMax, IEventLog log, BridgeState state,
    TimeProvider time)
{
    private const int CounterBits = 20;

    private readonly Lock _gate = new();
    private readonly AutoSignal _work = new();
    private readonly DeadLetterTopic _topic = new(log);
    private List<DeadLetter> _filling = [];
    private List<DeadLetter> _spare = [];
    private long _bytes;
    private long _lastNumber;
    private long _lastPlace;

    // Gateways that share a subscription must not give the same place in the same millisecond.
    private readonly long _salt =
        Partitioner.Murmur2(Encoding.UTF8.GetBytes(options.ClientIdOrDefault)) % (1 << CounterBits);
    private volatile bool _isStopping;

    public bool IsFull
    {
        get
        {
            lock (_gate) return _bytes >= bufferBytesMax;
        }
    }

    /// <summary>Takes a letter, under the number that the lane has for it.</summary>
    public void Add(MqttPublishPacket packet, ReadOnlyMemory<byte> body, MappingFailure failure, string? offending,
        long number)
    {
        lock (_gate)
        {
            _filling.Add(Letter(packet, body, failure, offending));
            _lastNumber = number;
        }

        _work.Call();
    }

    /// <summary>Writes until it is stopped, and then until nothing is left.</summary>
    public async Task RunAsync(BridgeLane lane)
    {
        while (true)
        {
            while (Swap() is { } number)
            {
                lane.OnRoom();
                await WriteAsync(lane, number).ConfigureAwait(false);
            }

            if (_isStopping) return;
            await _work.WaitAsync().ConfigureAwait(false);
        }
    }

    public void Stop()
    {
        _isStopping = true;
        _work.Call();
    }

    private long? Swap()
    {
        lock (_gate)
        {
            if (_filling.Count == 0) return null;
            (_filling, _spare, _bytes) = (_spare, _filling, 0);
            return _lastNumber;
        }
    }

    private async Task WriteAsync(BridgeLane lane, long number)
    {
        try
        {
            await _topic.AppendAsync(_spare.ToAsyncEnumerable(), null, CancellationToken.None).ConfigureAwait(false);
            lane.OnDurable(number);
        }
        catch (Exception failure)
        {
            state.Failed(BridgeErrors.LogFailed.With(options.Name, failure.Message), failure);
            lane.StopPublishing();
            lock (_gate)
            {
                _filling.Clear();
                _bytes = 0;
            }

            lane.OnLogFailed(lane.Index, LogFailure.Refused);
        }
        finally
        {
            _spare.Clear();
        }
    }

    /// <summary>
    /// It never had a place in a topic; it gets one of its own, by time, so that no other letter has its identity.
    /// </summary>
    private DeadLetter Letter(
        MqttPublishPacket packet, ReadOnlyMemory<byte> body, MappingFailure failure, string? offending)
    {
        var now = time.GetUtcNow();
        _lastPlace = Math.Max(_lastPlace + 1, (now.ToUnixTimeMilliseconds() << CounterBits) | _salt);
        using var record = new RecordBatchBuilder();
        encoder.EncodeUnmapped(record, now.ToUnixTimeMilliseconds(), packet, body.Span);
        var source = new TopicPartition(ConsumerGroups.OfBridge(options.Name), 0);
        var reason = $"{RefusalReasons.Kebab(failure.ToString())}: {offending}";
        _bytes += record.ByteCount;
        var batch = new RecordBatch(source, _lastPlace, 1, record.Bytes.ToArray());
        var records = batch.GetEnumerator();
        records.MoveNext();
        return DeadLetter.Of(
            records.Current, source, DeadLetterStages.Gateway, BridgeErrors.Unmappable.Code, reason, now);
    }
}
