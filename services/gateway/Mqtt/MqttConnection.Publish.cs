using Millrace.Gateway.Authentication;
using Millrace.Gateway.Topics;
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

    public void OnLogFailed(bool full) => TryEnd(full ? ConnectionEnd.LogFull : ConnectionEnd.LogFailed);

    public void OnRoom() => _resume.Call();

    /// <summary>False: there is no room now; the packet is to come again.</summary>
    private bool TakePublish(in PublishPacket publish, ref PublishRun run)
    {
        Resolve(publish.Topic, out var target);
        if (target.Refusal != PublishRefusal.None)
        {
            RefusePublish(publish, target.Refusal, ref run);
            return true;
        }

        var partition = run.Enter(runtime.Publisher.Of(target.Source!.Partition));
        if (_mayNotPublish) return Drop(ref run);
        if (partition.IsFull)
        {
            runtime.Metrics.Paused("partition-full");
            run.ExitToWait();
            return false;
        }

        var refusal = !TryCount(publish, partition.TimestampMs)
            ? PublishRefusal.DayQuotaReached
            : TelemetryEncoder.Encode(
                partition.Records, partition.TimestampMs, target, publish, runtime.Options.PropertiesMax);
        if (refusal != PublishRefusal.None) RefusePublish(publish, refusal, ref run);
        else run.Taken(publish.Qos == 0 ? -1 : _session.Acks.Add(publish.PacketId, partition.Partition));
        return true;
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
    private bool Drop(ref PublishRun run)
    {
        run.Exit();
        runtime.Metrics.Rejected("connection-ended");
        return true;
    }

    /// <summary>
    /// MQTT 5 says so in the acknowledgement. 3.1.1 has no way to, and a client must not think that its message was
    /// taken: the connection ends (3.1.1 §3.3.5).
    /// </summary>
    private void RefusePublish(in PublishPacket publish, PublishRefusal refusal, ref PublishRun run)
    {
        run.Exit();
        var reason = RefusalReasons.Kebab(refusal.ToString());
        runtime.Metrics.Rejected(reason);
        runtime.Log.PublishRefused(GatewayErrors.PublishRefused.Code, _login!.DeviceId, reason);
        if (_session.Version == MqttVersion.V311)
        {
            TryEnd(refusal == PublishRefusal.DayQuotaReached ? ConnectionEnd.QuotaReached : ConnectionEnd.TopicRefused);
            return;
        }

        if (publish.Qos == 0) return;
        _session.Acks.AddAnswered(publish.PacketId, CodeOf(refusal));
        WriteAcks();
    }

    private static ReasonCode CodeOf(PublishRefusal refusal) => refusal switch
    {
        PublishRefusal.TopicOfAnother => ReasonCode.NotAuthorized,
        PublishRefusal.TooManyProperties or PublishRefusal.DayQuotaReached => ReasonCode.QuotaExceeded,
        _ => ReasonCode.TopicNameInvalid,
    };

    /// <summary>
    /// The reason why this will could not be published, found out while the client can still be told.
    /// </summary>
    private ReasonCode CheckWill()
    {
        if (_session.Request?.Will is not { } will) return ReasonCode.Success;
        Resolve(will.Topic, out var target);
        return target.Refusal == PublishRefusal.None ? ReasonCode.Success : CodeOf(target.Refusal);
    }

    private async ValueTask PublishWillAsync()
    {
        if (_session.Will is not { } will) return;
        while (!TryPublishWill(will)) await _resume.WaitAsync().ConfigureAwait(false);
    }

    /// <summary>False: while the log is behind, wills wait like publishes.</summary>
    private bool TryPublishWill(WillMessage will)
    {
        Topics.Resolve(will.Topic, out var target);
        var partition = runtime.Publisher.Of(target.Source!.Partition);
        partition.Enter();
        if (partition.IsFull)
        {
            partition.ExitToWait(this, count: 0, lastNumber: -1);
            return false;
        }

        var refusal = TelemetryEncoder.Encode(partition.Records, partition.TimestampMs, target, will.ToPublish(),
            runtime.Options.PropertiesMax, isWill: true);
        var taken = refusal == PublishRefusal.None;
        partition.Exit(owner: null, taken ? 1 : 0, lastNumber: -1);
        if (taken) runtime.Metrics.Received(1);
        else runtime.Metrics.Rejected(RefusalReasons.Kebab(refusal.ToString()));
        return true;
    }
}
