using System.Text;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Topics;

namespace Millrace.Gateway.Mqtt;

/// <summary>What the device may do in topic spaces, and what it subscribes to there.</summary>
internal sealed partial class MqttConnection
{
    private SpaceMember? _member;
    private string _tagsJson = "";
    private volatile string? _tagsChanged;

    /// <summary>Whether a message for it would not have to wait long.</summary>
    public bool TakesMore => End is null && !runtime.IsDraining
        && (_deviceSession?.Outbox?.WaitingCount ?? 0) < _meter!.Limits.Queue.MessagesMax;

    /// <summary>The device's tags may be others now; its reader looks what that means.</summary>
    public void IdentityRead(string tagsJson)
    {
        if (_access is null || tagsJson == (_tagsChanged ?? Volatile.Read(ref _tagsJson))) return;
        _tagsChanged = tagsJson;
        Interrupt();
    }

    private void TakeAccess(string tagsJson)
    {
        if (runtime.Spaces.Table.Spaces.Count == 0) return;
        Volatile.Write(ref _tagsJson, tagsJson);
        _access = runtime.Spaces.Table.AccessOf(_login!.DeviceId, tagsJson);
    }

    private async ValueTask ChangeAccessAsync()
    {
        // What has changed meanwhile is taken the next time.
        var tagsJson = _tagsChanged!;
        TakeAccess(tagsJson);
        Interlocked.CompareExchange(ref _tagsChanged, null, tagsJson);
        if (_deviceSession is not { } session) return;
        try
        {
            await EnterSpacesAsync(session).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }
    }

    /// <summary>Puts the session's subscriptions in spaces in their place; what is not granted ends.</summary>
    private async ValueTask EnterSpacesAsync(DeviceSession session)
    {
        var granted = new List<SpaceGrant>();
        var revoked = new List<string>();
        foreach (var asked in session.Subscriptions)
        {
            if (OwnTopics.Has(asked.Filter, session.Key.DeviceId)) continue;
            if (SpaceOf(asked.Filter) is { } space) granted.Add(new SpaceGrant(space, asked));
            else revoked.Add(asked.Filter);
        }

        if (revoked.Count > 0)
        {
            session.Unsubscribe(revoked);
            foreach (var _ in revoked) runtime.Metrics.SubscriptionRevoked();
            if (session.IsStored)
            {
                var store = runtime.Sessions.Store;
                Owns(await store.UnsubscribeAsync(session.Key, session.Epoch, revoked).ConfigureAwait(false));
            }
        }

        if (granted.Count > 0 || _member is not null) EnterSpaces(session, granted);
        else runtime.Spaces.Members.End(session.Key, session.Id);
    }

    /// <summary>What was queued while the session was being opened is looked for once more.</summary>
    private void EnterSpaces(DeviceSession session, List<SpaceGrant> granted)
    {
        _member = runtime.Spaces.Members.Enter(session.Key, session.IsStored ? session.Id : "", this, granted);
        lock (_output) session.HasQueued |= session.IsStored && granted.Count > 0;
    }

    private void LeaveSpaces()
    {
        if (_member is { } member && member.Connection == this) runtime.Spaces.Members.Leave(member);
    }

    /// <param name="otherwise">The answer when no space has what the filter asks for.</param>
    private byte GrantInSpace(in Subscription asked, byte otherwise)
    {
        if (_access is null || !TopicFilter.IsValid(asked.Filter)) return otherwise;
        var isBroken = TopicFilter.IsShared(asked.Filter) && !SharedFilter.TryParse(asked.Filter, out _, out _);
        if (isBroken) return OwnTopics.Failure(ReasonCode.TopicFilterInvalid, _session.Version);
        var decision = _access.Subscribe(asked.Filter, out _);
        if (decision == TopicDecision.Granted) return (byte)asked.Qos;
        runtime.Metrics.SubscriptionRefused("not-allowed");
        return OwnTopics.Failure(ReasonCode.NotAuthorized, _session.Version);
    }

    private TopicSpace? SpaceOf(string filter)
    {
        TopicSpace? space = null;
        _access?.Subscribe(Encoding.UTF8.GetBytes(filter), out space);
        return space;
    }

    /// <summary>Changes the trees, before the session's own list.</summary>
    private void ChangeInSpaces(DeviceSession session, SubscriptionChange change)
    {
        if (_access is null) return;
        foreach (var asked in change.Added)
        {
            if (OwnTopics.Has(asked.Filter, session.Key.DeviceId) || SpaceOf(asked.Filter) is not { } space) continue;
            if (_member is null) EnterSpaces(session, []);
            var isNew = session.Subscriptions.All(known => known.Filter != asked.Filter);
            var isWanted = asked.RetainHandling == 0 || (asked.RetainHandling == 1 && isNew);
            var isShared = TopicFilter.IsShared(Encoding.UTF8.GetBytes(asked.Filter));
            runtime.Spaces.Members.Subscribe(
                _member!, space, asked, sendsRetained: isWanted && !isShared && space.MayRetain);
        }

        if (_member is null) return;
        foreach (var filter in change.Removed) runtime.Spaces.Members.Unsubscribe(_member, filter);
    }
}
