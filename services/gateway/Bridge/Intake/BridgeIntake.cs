using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Publishing;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Intake;

/// <summary>
/// Takes messages from a broker into the event log and says which of them may be acknowledged. One caller brings
/// messages; one takes acknowledgements; the log's loops tell what is durable.
/// </summary>
internal sealed partial class BridgeIntake
{
    private readonly Lock _gate = new();
    private readonly BridgeAcks _acks = new();
    private readonly AutoSignal _room = new();
    private readonly AutoSignal _ready = new();
    private readonly AutoSignal _settled = new();
    private readonly BridgeOptions _options;
    private readonly BridgeMapping _mapping;
    private readonly BridgeEncoder _encoder;
    private readonly TelemetryPublisher _publisher;
    private readonly BridgeLetters _letters;
    private readonly GatewayMetrics _metrics;
    private readonly BridgeState _state;
    private readonly BridgeLane[] _lanes;
    private readonly BridgeLane _lettersLane;
    private TaskCompletionSource _failed = NewSignal();
    private volatile bool _isDraining;
    private bool _isClosed = true;

    /// <summary>The publisher must have been started.</summary>
    public BridgeIntake(
        BridgeOptions options, GatewayOptions gateway, BridgeEncoder encoder, TelemetryPublisher publisher,
        BridgeLetters letters, GatewayMetrics metrics, BridgeState state)
    {
        _options = options;
        _mapping = new BridgeMapping(options.Subscriptions, gateway.TopicCacheMax);
        (_encoder, _publisher, _letters, _metrics, _state) = (encoder, publisher, letters, metrics, state);
        _lanes = [.. Enumerable.Range(0, publisher.Count).Select(partition => new BridgeLane(this, partition))];
        _lettersLane = new BridgeLane(this, publisher.Count);
    }

    private enum Taking
    {
        Done,
        NoRoom,
        Ended,
    }

    public BridgeMapping Mapping => _mapping;

    public BridgeLane LettersLane => _lettersLane;

    /// <summary>Completes when the log has refused messages of this connection, which must end.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Messages that are taken and not durable yet.</summary>
    public long InFlight
    {
        get
        {
            lock (_gate) return Lanes.Sum(lane => lane.Taken - lane.Durable);
        }
    }

    private bool HasUnacknowledged
    {
        get
        {
            lock (_gate) return _acks.Count > 0;
        }
    }

    private IEnumerable<BridgeLane> Lanes => _lanes.Append(_lettersLane);

    /// <summary>Comes before each connect, when all is settled: nothing is left of the connection before.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _acks.Clear();
            _released.Clear();
            _isClosed = false;
            _failed = NewSignal();
            foreach (var lane in Lanes) lane.Restart();
        }
    }

    /// <summary>From now on nothing more is taken; what was taken is acknowledged as before.</summary>
    public void Drain()
    {
        _isDraining = true;
        _ready.Call();
    }

    /// <summary>Waits while there is no room; false: the connection has to end.</summary>
    public async ValueTask<bool> TakeAsync(MqttPublishPacket packet, CancellationToken ct)
    {
        await using var wake = ct.UnsafeRegister(static room => ((AutoSignal)room!).Call(), _room)
            .ConfigureAwait(false);
        while (!ct.IsCancellationRequested)
        {
            var taking = TryTake(packet);
            if (taking != Taking.NoRoom) return taking == Taking.Done;
            await _room.WaitAsync().ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>Completes when everything that was taken is durable or has failed.</summary>
    public async Task SettleAsync(CancellationToken ct)
    {
        await using var wake = ct.UnsafeRegister(static settled => ((AutoSignal)settled!).Call(), _settled)
            .ConfigureAwait(false);
        while (InFlight > 0)
        {
            ct.ThrowIfCancellationRequested();
            await _settled.WaitAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The next acknowledgement that may leave, in order; waits for one. Null: there will be none.</summary>
    public async ValueTask<PendingAck?> NextAckAsync(CancellationToken ct)
    {
        await using var wake = ct.UnsafeRegister(static ready => ((AutoSignal)ready!).Call(), _ready)
            .ConfigureAwait(false);
        while (!ct.IsCancellationRequested)
        {
            if (TryTakeAck(out var ack)) return ack;
            if (_isDraining && !HasUnacknowledged) return null;
            await _ready.WaitAsync().ConfigureAwait(false);
        }

        return null;
    }

    public void OnDurable(BridgeLane lane, long lastNumber)
    {
        long count;
        lock (_gate)
        {
            count = lastNumber - lane.Durable;
            if (count <= 0) return;
            lane.Durable = lastNumber;
        }

        if (lane != _lettersLane) _state.Accepted(count);
        _ready.Call();
        _settled.Call();
    }

    public void OnFailed(BridgeLane lane, LogFailure failure)
    {
        lock (_gate)
        {
            _isClosed = true;
            _acks.Clear();
            if (failure == LogFailure.Uncertain) _exchanges.Doubt(lane);
            else _exchanges.Forget(lane);
            lane.Durable = lane.Taken;
        }

        _state.Failed(BridgeErrors.LogFailed.With(_options.Name), null);
        _failed.TrySetResult();
        _room.Call();
        _settled.Call();
    }

    public void OnRoom() => _room.Call();

    private bool TryTakeAck(out PendingAck ack)
    {
        ack = default;
        lock (_gate)
        {
            if (_isClosed || !_acks.TryTake(out ack)) return false;
        }

        _room.Call();
        return true;
    }

    private Taking TryTake(MqttPublishPacket packet)
    {
        if (_isDraining) return Taking.NoRoom;
        lock (_gate)
        {
            if (_isClosed) return Taking.Ended;
            if (_acks.Count >= _options.InFlightMax) return Taking.NoRoom;
            if (IsKnown(packet)) return Taking.Done;
        }

        var body = packet.Payload.IsSingleSegment ? packet.Payload.First : PayloadOf(packet);
        var failure = Map(packet, ref body, out var message, out var offending);
        return failure == MappingFailure.None
            ? TakeTelemetry(packet, message!)
            : TakeLetter(packet, body, failure, offending);
    }

    private MappingFailure Map(
        MqttPublishPacket packet, ref ReadOnlyMemory<byte> body, out MappedMessage? message, out string? offending)
    {
        message = null;
        offending = $"{body.Length} B";
        var bytesMax = (int)_options.PacketBytesMax.Bytes;
        if (body.Length > bytesMax)
        {
            body = body[..bytesMax];
            return MappingFailure.TooLarge;
        }

        var failure = _mapping.Map(packet.Topic, body, out message, out offending);
        if (failure != MappingFailure.None || !_encoder.HasTooMany(packet, message!)) return failure;
        offending = $"{packet.UserProperties?.Count ?? 0}";
        return MappingFailure.TooManyProperties;
    }

    private Taking TakeTelemetry(MqttPublishPacket packet, MappedMessage message)
    {
        var partition = _publisher.Of(_publisher.PartitionOf(message.DeviceId));
        var lane = _lanes[partition.Partition];
        var (count, number) = (0, -1L);
        partition.Enter();
        try
        {
            if (lane.IsStopped) return Taking.Ended;
            if (!partition.IsFull)
            {
                var session = IsQos2(packet) ? SessionHeader : default;
                _encoder.Encode(partition.Records, partition.TimestampMs, packet, message, session, NextExchange);
                (count, number) = (1, Number(packet, lane));
            }
        }
        finally
        {
            if (count > 0 || lane.IsStopped) partition.Exit(lane, count, number);
            else partition.ExitToWait(lane, 0, -1);
        }

        if (count == 0)
        {
            _metrics.Paused("partition-full");
            return Taking.NoRoom;
        }

        _metrics.Received(1);
        return Taking.Done;
    }

    private Taking TakeLetter(
        MqttPublishPacket packet, ReadOnlyMemory<byte> body, MappingFailure failure, string? offending)
    {
        if (_lettersLane.IsStopped) return Taking.Ended;
        if (_letters.IsFull) return Taking.NoRoom;
        _letters.Add(packet, body, failure, offending, Number(packet, _lettersLane));
        _metrics.Rejected("dead-letter");
        _state.DeadLettered(failure, packet.Topic, offending);
        return Taking.Done;
    }

    /// <summary>Gives a message its place among those that wait.</summary>
    private long Number(MqttPublishPacket packet, BridgeLane lane)
    {
        _state.Received();
        lock (_gate)
        {
            var number = ++lane.Taken;
            if (packet.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce) return number;
            _acks.Add(new PendingAck(packet.PacketIdentifier, IsQos2(packet), lane, number));
            if (IsQos2(packet)) Open(packet.PacketIdentifier, lane, number);
            return number;
        }
    }

    private static bool IsQos2(MqttPublishPacket packet) =>
        packet.QualityOfServiceLevel == MqttQualityOfServiceLevel.ExactlyOnce;

    private static ReadOnlyMemory<byte> PayloadOf(MqttPublishPacket packet)
    {
        var body = new byte[packet.Payload.Length];
        var target = body.AsSpan();
        foreach (var segment in packet.Payload)
        {
            segment.Span.CopyTo(target);
            target = target[segment.Length..];
        }

        return body;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
