using Millrace.Gateway.Authentication;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Mqtt;

/// <summary>Taking publishes: straight from the received bytes into the partition's batch.</summary>
internal sealed partial class MqttConnection
{
    private volatile bool _mayNotPublish;

    private DeviceTopics Topics => _topics ??= new DeviceTopics(runtime.Router, _login!);

    public void Received(int count) => runtime.Metrics.Received(count);

    public void StopPublishing() => _mayNotPublish = true;

    public void OnLogFailed(int partition, LogFailure failure)
    {
        lock (_output) _deviceSession?.Failed(partition, failure);
        TryEnd(failure == LogFailure.Full ? ConnectionEnd.LogFull : ConnectionEnd.LogFailed);
        _resume.Call();
    }

    public void OnRoom() => _resume.Call();

    /// <summary>Read: go on. Anything else is to be done first, and then the packet is to come again.</summary>
    private Next TakePublish(in PublishPacket publish, ref PublishRun run)
    {
        var decision = DecideSpace(publish.Topic, out var space);
        if (decision == TopicDecision.Granted) return TakeForSpace(publish, space!, ref run);
        if (_toSpaces.Count > 0) return Next.Spaces;
        if (decision == TopicDecision.Denied)
        {
            RefusePublish(publish, PublishRefusal.TopicDenied, ref run);
            return Next.Read;
        }

        Resolve(publish.Topic, out var target);
        if (target.Refusal != PublishRefusal.None)
        {
            RefusePublish(publish, target.Refusal, ref run);
            return Next.Read;
        }

        if (publish.Qos == 2) return TakeExchange(publish, target, ref run);
        return Append(publish, target, default, ref run);
    }

    private Next Append(in PublishPacket publish, in MessageTarget target, ExchangeStamp exchange, ref PublishRun run)
    {
        var partition = run.Enter(runtime.Publisher.Of(target.Source!.Partition));
        if (_mayNotPublish) return Drop(ref run);
        if (partition.IsFull)
        {
            runtime.Metrics.Paused("partition-full");
            run.ExitToWait();
            return Next.Wait;
        }

        var refusal = !TryCount(publish, partition.TimestampMs)
            ? PublishRefusal.DayQuotaReached
            : TelemetryEncoder.Encode(partition.Records, partition.TimestampMs, target, publish,
                runtime.Options.PropertiesMax, exchange: exchange);
        if (refusal != PublishRefusal.None) RefusePublish(publish, refusal, ref run);
        else if (publish.Qos == 2) run.Taken(BeginExchange(publish.PacketId, partition.Partition));
        else run.Taken(publish.Qos == 0 ? -1 : _session.Acks.Add(publish.PacketId, partition.Partition));
        return Next.Read;
    }

    private void Resolve(ReadOnlySpan<byte> topic, out MessageTarget target)
    {
        target = default;
        target.Refusal = _meter!.Limits.Check(topic);
        if (target.Refusal == PublishRefusal.None) Topics.Resolve(topic, out target);
    }

    /// <summary>
    /// The connection is being ended. Another one may publish for this device already, and nothing of the old one may
    /// come after it: the partition's lock and this flag keep the order.
    /// </summary>
    private Next Drop(ref PublishRun run)
    {
        run.Exit();
        runtime.Metrics.Rejected("connection-ended");
        return Next.Read;
    }

    /// <summary>
    /// MQTT 5 says so in the acknowledgement. 3.1.1 has no way to, and a client must not think that its message was
    /// taken: the connection ends (3.1.1 §3.3.5).
    /// </summary>
    private void RefusePublish(in PublishPacket publish, PublishRefusal refusal, ref PublishRun run)
    {
        run.Exit();
        RefusePublish(publish.PacketId, publish.Qos, refusal);
    }

    private void RefusePublish(ushort packetId, int qos, PublishRefusal refusal)
    {
        var reason = RefusalReasons.Kebab(refusal.ToString());
        runtime.Metrics.Rejected(reason);
        runtime.Log.PublishRefused(GatewayErrors.PublishRefused.Code, _login!.DeviceId, reason);
        if (_session.Version == MqttVersion.V311)
        {
            TryEnd(refusal == PublishRefusal.DayQuotaReached ? ConnectionEnd.QuotaReached : ConnectionEnd.TopicRefused);
            return;
        }

        if (qos == 0) return;
        _session.Acks.AddAnswered(packetId, refusal.Code(), AnswerTo(qos), refusal.Text());
        _hasAnswers = true;
    }

    private static PacketType AnswerTo(int qos) => qos == 1 ? PacketType.PubAck : PacketType.PubRec;

    /// <summary>
    /// The reason why this will could not be published, found out while the client can still be told.
    /// </summary>
    private ReasonCode CheckWill(WillMessage? will)
    {
        if (will is null) return ReasonCode.Success;
        var decision = DecideSpace(will.Topic, out var space);
        if (decision == TopicDecision.Denied) return ReasonCode.NotAuthorized;
        if (decision == TopicDecision.Granted) return CheckForSpace(will.ToPublish(), space!).Code();
        Resolve(will.Topic, out var target);
        return target.Refusal.Code();
    }
}
