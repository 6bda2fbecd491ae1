using System.Text;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>SUBSCRIBE and UNSUBSCRIBE: answered when the session has them.</summary>
internal sealed partial class MqttConnection
{
    /// <summary>What the client subscribes to, for those who bring messages.</summary>
    public DeviceSession? DeviceSession => Volatile.Read(ref _deviceSession);

    private void TakeSubscribe(in SubscribePacket packet)
    {
        var session = Session();
        var codes = new byte[packet.FilterCount];
        var added = new List<SessionSubscription>();
        var count = 0;
        var identifier = packet.Properties.Number(PropertyId.SubscriptionIdentifier, absent: 0);
        _moreFilters += packet.FilterCount - 1;
        foreach (var each in packet)
        {
            if (count >= _meter!.Limits.SubscriptionsMax)
            {
                // No session can have so many: what comes behind is not even looked at.
                var refused = OwnTopics.Failure(ReasonCode.QuotaExceeded, _session.Version);
                runtime.Metrics.SubscriptionRefused("subscriptions-max", codes.Length - count);
                codes.AsSpan(count).Fill(refused);
                break;
            }

            var filter = Encoding.UTF8.GetString(each.Filter);
            var code = Grant(each);
            if (code < (byte)ReasonCode.UnspecifiedError && !HasRoom(session, added, filter))
                code = RefuseSubscription(ReasonCode.QuotaExceeded, "subscriptions-max");
            codes[count++] = code;
            if (code >= (byte)ReasonCode.UnspecifiedError) continue;
            added.RemoveAll(before => before.Filter == filter);
            added.Add(new SessionSubscription(
                filter, code, each.NoLocal, each.RetainAsPublished, each.RetainHandling, identifier));
        }

        session.Change = new SubscriptionChange(PacketType.SubAck, packet.PacketId, codes, added, []);
    }

    private byte Grant(Subscription subscription)
    {
        if (_meter!.Limits.Check(subscription.Filter) != PublishRefusal.None)
            return RefuseSubscription(ReasonCode.TopicFilterInvalid, "filter-limits");
        var code = OwnTopics.Grant(subscription, _login!.DeviceId, _session.Version);
        return code < (byte)ReasonCode.UnspecifiedError ? code : GrantInSpace(subscription, otherwise: code);
    }

    private byte RefuseSubscription(ReasonCode reason, string word)
    {
        runtime.Metrics.SubscriptionRefused(word);
        return OwnTopics.Failure(reason, _session.Version);
    }

    private bool HasRoom(DeviceSession session, List<SessionSubscription> added, string filter)
    {
        var known = session.Subscriptions;
        if (known.Any(each => each.Filter == filter) || added.Exists(each => each.Filter == filter)) return true;
        return known.Count + added.Count < _meter!.Limits.SubscriptionsMax;
    }

    private void TakeUnsubscribe(in UnsubscribePacket packet)
    {
        var session = Session();
        var codes = new byte[packet.FilterCount];
        var removed = new List<string>();
        var left = session.Subscriptions.Select(known => known.Filter).ToHashSet();
        var count = 0;
        _moreFilters += packet.FilterCount - 1;
        foreach (var each in packet)
        {
            var filter = left.Count > 0 ? Encoding.UTF8.GetString(each) : "";
            var had = left.Remove(filter);
            codes[count++] = (byte)(had ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
            if (had) removed.Add(filter);
        }

        session.Change = new SubscriptionChange(PacketType.UnsubAck, packet.PacketId, codes, [], removed);
    }

    private async ValueTask ChangeSubscriptionsAsync(DeviceSession session)
    {
        var change = session.Change!;
        session.Change = null;
        try
        {
            if (session.IsStored) await SaveAsync(session, change).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
            return;
        }

        ChangeInSpaces(session, change);
        if (change.Added.Count > 0) session.Subscribe(change.Added);
        if (change.Removed.Count > 0) session.Unsubscribe(change.Removed);
        await AnswerAsync(change).ConfigureAwait(false);
    }

    private async ValueTask SaveAsync(DeviceSession session, SubscriptionChange change)
    {
        var store = runtime.Sessions.Store;
        if (change.Added.Count > 0)
            Owns(await store.SubscribeAsync(session.Key, session.Epoch, change.Added).ConfigureAwait(false));
        if (change.Removed.Count > 0)
            Owns(await store.UnsubscribeAsync(session.Key, session.Epoch, change.Removed).ConfigureAwait(false));
    }

    private async ValueTask AnswerAsync(SubscriptionChange change)
    {
        var fits = true;
        await ReplyAsync(target => fits = _session.Answer(target, change.Answer, change.PacketId, change.Codes))
            .ConfigureAwait(false);
        if (!fits) TryEnd(ConnectionEnd.AnswerTooLarge);
    }
}
