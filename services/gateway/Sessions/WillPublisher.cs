using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Topics;
using Millrace.Mqtt.Session;
using Millrace.Stores.Identities;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>Publishes wills as telemetry: those of a connection that has just ended, and those that waited.</summary>
internal sealed class WillPublisher(
    TopicRouter router, TelemetryPublisher publisher, IdentityCache identities, IOptions<GatewayOptions> options,
    GatewayMetrics metrics)
{
    /// <summary>A will that waited. Its device is asked for again: one that is gone has no telemetry.</summary>
    public async ValueTask PublishAsync(string deviceId, StoredWill will)
    {
        var identity = await identities.FindAsync(deviceId, CancellationToken.None).ConfigureAwait(false);
        if (identity is null)
        {
            metrics.Rejected("will-of-no-device");
            return;
        }

        var byCertificate = identity.Authentication == DeviceAuthentication.Thumbprints;
        var method = byCertificate ? AuthMethod.Certificate : AuthMethod.Key;
        var login = new DeviceLogin(deviceId, identity.GenerationId, method, CredentialHash: 0, ExpiresAt: null);
        var topic = Encoding.UTF8.GetBytes(will.Topic);
        await PublishAsync(new DeviceTopics(router, login),
            new WillMessage(will.Qos, will.Retain, topic, will.Properties, will.Payload)).ConfigureAwait(false);
    }

    /// <summary>While the log is behind, wills wait like publishes.</summary>
    public async ValueTask PublishAsync(DeviceTopics topics, WillMessage will)
    {
        var room = new RoomSignal();
        while (!TryPublish(topics, will, room)) await room.WaitAsync().ConfigureAwait(false);
    }

    private bool TryPublish(DeviceTopics topics, WillMessage will, RoomSignal room)
    {
        topics.Resolve(will.Topic, out var target);
        if (target.Refusal != PublishRefusal.None)
        {
            metrics.Rejected(RefusalReasons.Kebab(target.Refusal.ToString()));
            return true;
        }

        var partition = publisher.Of(target.Source!.Partition);
        partition.Enter();
        if (partition.IsFull)
        {
            partition.ExitToWait(room, count: 0, lastNumber: -1);
            return false;
        }

        var refusal = TelemetryEncoder.Encode(partition.Records, partition.TimestampMs, target, will.ToPublish(),
            options.Value.PropertiesMax, isWill: true);
        var taken = refusal == PublishRefusal.None;
        partition.Exit(owner: null, taken ? 1 : 0, lastNumber: -1);
        if (taken) metrics.Received(1);
        else metrics.Rejected(RefusalReasons.Kebab(refusal.ToString()));
        return true;
    }

    /// <summary>Has nothing on its way: it only hears that there is room.</summary>
    private sealed class RoomSignal : IPublishOwner
    {
        private readonly AutoSignal _room = new();

        public ValueTask WaitAsync() => _room.WaitAsync();

        public void OnRoom() => _room.Call();

        public void OnDurable(int partition, long lastNumber, long nextOffset)
        {
        }

        public void StopPublishing()
        {
        }

        public void OnLogFailed(int partition, bool full)
        {
        }
    }
}
