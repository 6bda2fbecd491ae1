using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;
using Millrace.Stores.Identities;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Publishes wills, as telemetry or to a topic space: those of a connection that has just ended, and those that waited.
/// </summary>
internal sealed class WillPublisher(
    TopicRouter router, TelemetryPublisher publisher, IdentityCache identities, SpaceBroker spaces,
    IOptions<GatewayOptions> options, IOptions<TopicSpacesOptions> spaceOptions, GatewayMetrics metrics,
    ILogger<WillPublisher> logger)
{
    /// <summary>A will that waited. Its device is asked for again: one that is gone has no telemetry.</summary>
    public async ValueTask PublishAsync(SessionKey key, StoredWill will)
    {
        var identity = await identities.FindAsync(key.DeviceId, CancellationToken.None).ConfigureAwait(false);
        if (identity is null && !spaceOptions.Value.AllowAnonymous)
        {
            metrics.Rejected("will-of-no-device");
            return;
        }

        var method = identity?.Authentication switch
        {
            null => AuthMethod.Anonymous,
            DeviceAuthentication.Thumbprints => AuthMethod.Certificate,
            _ => AuthMethod.Key,
        };
        var login = new DeviceLogin(
            key.DeviceId, identity?.GenerationId ?? "", method, CredentialHash: 0, ExpiresAt: null);
        var access = spaces.Table.AccessOf(key.DeviceId, identity?.TagsJson ?? "{}");
        await PublishAsync(key, new DeviceTopics(router, login), access, new WillMessage(
            will.Qos, will.Retain, Encoding.UTF8.GetBytes(will.Topic), will.Properties, will.Payload))
            .ConfigureAwait(false);
    }

    /// <param name="access">Null when there are no spaces.</param>
    public async ValueTask PublishAsync(SessionKey key, DeviceTopics topics, TopicAccess? access, WillMessage will)
    {
        TopicSpace? space = null;
        switch (access?.Publish(will.Topic, out space) ?? TopicDecision.NoSpace)
        {
            case TopicDecision.NoSpace: await PublishTelemetryAsync(topics, will).ConfigureAwait(false); break;
            case TopicDecision.Denied: metrics.Rejected(Word(PublishRefusal.TopicDenied)); break;
            default: await PublishAsync(key, topics.Own, space!, will).ConfigureAwait(false); break;
        }
    }

    private async ValueTask PublishAsync(SessionKey key, TelemetrySource source, TopicSpace space, WillMessage will)
    {
        var message = SpacePublish.Of(space, will.ToPublish(), spaces.Now);
        if (message.Retain && !space.MayRetain)
        {
            metrics.Rejected(Word(PublishRefusal.RetainDenied));
            return;
        }

        try
        {
            var refusal = (await spaces.Retained.KeepAsync([message]).ConfigureAwait(false))[0];
            if (refusal != PublishRefusal.None) metrics.Rejected(Word(refusal));
            else await spaces.PublishAsync(key, source, [message], once: null, isWill: true).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            logger.WillFails(key.DeviceId, failure);
        }
    }

    /// <summary>While the log is behind, wills wait like publishes.</summary>
    private async ValueTask PublishTelemetryAsync(DeviceTopics topics, WillMessage will)
    {
        var room = new RoomSignal();
        while (!TryPublish(topics, will, room)) await room.WaitAsync().ConfigureAwait(false);
    }

    private bool TryPublish(DeviceTopics topics, WillMessage will, RoomSignal room)
    {
        topics.Resolve(will.Topic, out var target);
        if (target.Refusal != PublishRefusal.None)
        {
            metrics.Rejected(Word(target.Refusal));
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
        else metrics.Rejected(Word(refusal));
        return true;
    }

    private static string Word(PublishRefusal refusal) => RefusalReasons.Kebab(refusal.ToString());

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
