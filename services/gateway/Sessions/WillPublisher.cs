using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;
using Millrace.Stores.Identities;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Publishes wills that are due, as telemetry or to a topic space. The store gives them up when they are durable: one
/// that fails, or that a crash interrupts, comes again.
/// </summary>
internal sealed class WillPublisher(
    TopicRouter router, TelemetryPublisher publisher, IdentityCache identities, SpaceBroker spaces,
    ISessionStore store, IOptions<GatewayOptions> options, IOptions<TopicSpacesOptions> spaceOptions,
    GatewayLimits limits, GatewayMetrics metrics, ILogger<WillPublisher> logger)
{
    /// <summary>
    /// Of connections that are gone. Their devices are asked for again: one that is gone has no telemetry.
    /// </summary>
    public async ValueTask PublishAsync(IReadOnlyList<DueWill> wills)
    {
        var done = await Task.WhenAll(wills.Select(will => TryPublishAsync(will, topics: null, access: null)))
            .ConfigureAwait(false);
        await RemoveAsync([.. wills.Where((_, i) => done[i])]).ConfigureAwait(false);
    }

    /// <summary>Of a connection that is ending.</summary>
    /// <param name="access">Null when there are no spaces.</param>
    public async ValueTask PublishAsync(DueWill will, DeviceTopics topics, TopicAccess? access)
    {
        if (await TryPublishAsync(will, topics, access).ConfigureAwait(false))
            await RemoveAsync([will]).ConfigureAwait(false);
    }

    private async ValueTask RemoveAsync(IReadOnlyList<DueWill> published)
    {
        if (published.Count == 0) return;
        try
        {
            await store.RemoveWillsAsync(published).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            logger.WillFails(published[0].Key.DeviceId, failure);
        }
    }

    /// <summary>False: it is to come again.</summary>
    private async Task<bool> TryPublishAsync(DueWill due, DeviceTopics? topics, TopicAccess? access)
    {
        var device = due.Key.DeviceId;
        try
        {
            if (topics is null)
            {
                var identity = await identities.FindAsync(device, CancellationToken.None).ConfigureAwait(false);
                if (identity is null && !spaceOptions.Value.AllowAnonymous)
                {
                    metrics.Rejected("will-of-no-device");
                    return true;
                }

                topics = new DeviceTopics(router, LoginOf(device, identity));
                access = spaces.Table.AccessOf(device, identity?.TagsJson ?? "{}");
            }

            var will = due.Will;
            return await TryPublishAsync(due.Key, topics, access, new WillMessage(
                will.Qos, will.Retain, Encoding.UTF8.GetBytes(will.Topic), will.Properties, will.Payload))
                .ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            logger.WillFails(device, failure);
            return false;
        }
    }

    private static DeviceLogin LoginOf(string device, DeviceIdentity? identity)
    {
        var method = identity?.Authentication switch
        {
            null => AuthMethod.Anonymous,
            DeviceAuthentication.Thumbprints => AuthMethod.Certificate,
            _ => AuthMethod.Key,
        };
        return new DeviceLogin(device, identity?.GenerationId ?? "", method, CredentialHash: 0, ExpiresAt: null);
    }

    private ValueTask<bool> TryPublishAsync(SessionKey key, DeviceTopics topics, TopicAccess? access, WillMessage will)
    {
        TopicSpace? space = null;
        return (access?.Publish(will.Topic, out space) ?? TopicDecision.NoSpace) switch
        {
            TopicDecision.NoSpace => TryPublishTelemetryAsync(key.DeviceId, topics, will),
            TopicDecision.Denied => ValueTask.FromResult(Reject(PublishRefusal.TopicDenied)),
            _ => TryPublishAsync(key, topics.Own, space!, will),
        };
    }

    private async ValueTask<bool> TryPublishAsync(
        SessionKey key, TelemetrySource source, TopicSpace space, WillMessage will)
    {
        var message = SpacePublish.Of(space, will.ToPublish(), spaces.Now);
        if (message.Retain && !space.MayRetain) return Reject(PublishRefusal.RetainDenied);
        if (!limits.TryCount(key.DeviceId, will.ToPublish().Bytes, spaces.Now.ToUnixTimeMilliseconds()))
            return Reject(PublishRefusal.DayQuotaReached);
        var (outcome, refusals) = await spaces.PublishAsync(key, source, [message], once: null, isWill: true)
            .ConfigureAwait(false);
        if (refusals[0] != PublishRefusal.None) return Reject(refusals[0]);
        return outcome == SpaceOutcome.Done;
    }

    private async ValueTask<bool> TryPublishTelemetryAsync(string device, DeviceTopics topics, WillMessage will)
    {
        topics.Resolve(will.Topic, out var target);
        var (refusal, source) = (target.Refusal, target.Source);
        if (refusal != PublishRefusal.None) return Reject(refusal);
        var isDurable = await publisher.Of(source!.Partition).PublishAsync((records, timestampMs) =>
        {
            topics.Resolve(will.Topic, out var again);
            var publish = will.ToPublish();
            refusal = !limits.TryCount(device, publish.Bytes, timestampMs)
                ? PublishRefusal.DayQuotaReached
                : TelemetryEncoder.Encode(
                    records, timestampMs, again, publish, options.Value.PropertiesMax, isWill: true);
            return refusal == PublishRefusal.None;
        }).ConfigureAwait(false);
        return isDurable || (refusal != PublishRefusal.None && Reject(refusal));
    }

    private bool Reject(PublishRefusal refusal)
    {
        metrics.Rejected(RefusalReasons.Kebab(refusal.ToString()));
        return true;
    }
}
