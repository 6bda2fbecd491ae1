using Millrace.Gateway.Limits;
using Millrace.Mqtt.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Who gets what of some messages: one copy for each session, with the highest QoS that it asks for and all its
/// identifiers (MQTT 5 §3.3.4), and one of its own for each shared subscription. A copy of those that a member of the
/// group cannot take is passed on to the next.
/// </summary>
internal sealed class SpaceFanout(SpaceMembers members, GatewayLimits limits, SessionKey sender)
{
    /// <summary>
    /// Members of a group that are asked for one message although their stored queues had no room of late: what has
    /// expired in them since makes room when they are asked.
    /// </summary>
    private const int FullAskedMax = 10;

    private readonly List<TopicMatch<SpaceSubscription>> _matches = [];
    private readonly Dictionary<SpaceMember, Wanted> _wanted = [];
    private readonly List<SpaceSubscription> _group = [];
    private List<(SpaceCopy Copy, string Reason)> _refusedBefore = [];

    /// <summary>For the store, with whom they are for beside them.</summary>
    public List<SessionMessage> Stored { get; } = [];

    public List<SpaceCopy> StoredFor { get; } = [];

    /// <summary>For connections, in memory.</summary>
    public List<SpaceCopy> Live { get; } = [];

    /// <summary>What those whom it is for could not take, and why.</summary>
    public List<(SpaceCopy Copy, string Reason)> Refused { get; private set; } = [];

    /// <summary>What is retained is being sent to some of them, and is to be there before.</summary>
    public List<Task> Before { get; } = [];

    public int Count => Stored.Count + Live.Count;

    public void Add(SpacePublish message)
    {
        _matches.Clear();
        _wanted.Clear();
        members.Match(message.Space, message.Topic, _matches);
        if (_matches.Count == 0) return;
        var copies = new MessageCopies(message);
        foreach (var (match, group) in _matches)
        {
            if (group is not null)
                Add(new SpaceCopy(match.Member, copies.Of(match.Wanted), new SpaceShare(group, copies, match.Filter)));
            else if (!(match.NoLocal && match.Member.Key == sender))
                _wanted[match.Member] = Together(_wanted.GetValueOrDefault(match.Member), match.Wanted);
        }

        foreach (var (member, wanted) in _wanted)
        {
            var copy = new SpaceCopy(member, copies.Of(wanted), Share: default);
            if (member.Retained?.Delivering(copy.Message.Topic) is { } sent) Before.Add(sent);
            Add(copy);
        }
    }

    public void Add(in SpaceCopy copy)
    {
        if (copy.Message.Qos > 0 && copy.Member.IsStored)
        {
            var message = copy.Share.Filter is { } share ? copy.Message with { Share = share } : copy.Message;
            Stored.Add(new SessionMessage(copy.Member.Key, message, QueueOf(copy.Member)));
            StoredFor.Add(copy with { Freed = copy.Member.Freed });
        }
        else Live.Add(copy);
    }

    /// <summary>Begins anew; returns what was refused, until it is called again.</summary>
    public IReadOnlyList<(SpaceCopy Copy, string Reason)> Clear()
    {
        Before.Clear();
        Stored.Clear();
        StoredFor.Clear();
        Live.Clear();
        (_refusedBefore, Refused) = (Refused, _refusedBefore);
        Refused.Clear();
        return _refusedBefore;
    }

    /// <summary>To the best of the group that was not asked yet. False: none of them has room.</summary>
    public bool TryPassOn(in SpaceCopy refused)
    {
        if (refused.Share is not { Group: { } group, Copies: { } copies }) return false;
        var asked = refused.Asked;
        _group.Clear();
        group.AddTo(_group);
        SpaceSubscription? best = null;
        SpaceSubscription? full = null;
        var readinessOfBest = MemberReadiness.Full;
        foreach (var each in _group)
        {
            if (each.Member == refused.Member || asked?.Members.Contains(each.Member) == true) continue;
            if (refused.Message.Bytes > QueueOf(each.Member).BytesMax) continue;
            var isStored = copies.QosOf(each.Wanted) > 0;
            var readiness = each.Member.ReadinessFor(isStored, refused.Message.Bytes);
            if (readiness > readinessOfBest) (best, readinessOfBest) = (each, readiness);
            else if (isStored && each.Member.IsStored) full ??= each;
            if (readinessOfBest == MemberReadiness.Ready) break;
        }

        var isLastResort = best is null && !(asked?.Full >= FullAskedMax);
        if (isLastResort) best = full;
        if (best is null) return false;
        asked ??= new AskedMembers([]);
        asked.Members.Add(refused.Member);
        if (isLastResort) asked.Full++;
        Add(new SpaceCopy(best.Member, copies.Of(best.Wanted), refused.Share) { Asked = asked });
        return true;
    }

    /// <summary>Whether the queue of whom it is for has room for it when it is empty.</summary>
    public bool CanEverHold(in SpaceCopy copy) => copy.Message.Bytes <= QueueOf(copy.Member).BytesMax;

    private static Wanted Together(Wanted? known, Wanted other) => known is null ? other : known.And(other);

    private QueueLimits QueueOf(SpaceMember member) => limits.Of(member.Key.DeviceId).Queue;
}

/// <summary>A copy of a message that is on its way to one session.</summary>
internal readonly record struct SpaceCopy(SpaceMember Member, OutboundMessage Message, SpaceShare Share)
{
    /// <summary>As the member had it before its stored queue is asked.</summary>
    public long Freed { get; init; }

    /// <summary>Null: nobody but the one whom it is for.</summary>
    public AskedMembers? Asked { get; init; }
}

/// <summary>What it takes to pass a copy on to another member of a group.</summary>
/// <param name="Group">Null: the copy is for one session alone.</param>
/// <param name="Filter">By which the group is found again when the copy was kept.</param>
internal readonly record struct SpaceShare(
    SharedGroup<SpaceSubscription>? Group, MessageCopies? Copies, string? Filter);

/// <summary>Those of a group who could not take a message.</summary>
internal sealed record AskedMembers(HashSet<SpaceMember> Members)
{
    /// <summary>How many of them were known to be full.</summary>
    public int Full { get; set; }
}
