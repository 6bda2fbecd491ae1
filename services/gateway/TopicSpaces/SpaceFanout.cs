using System.Text;
using Millrace.Gateway.Limits;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Who gets what of some messages: one copy for each session, with the highest QoS that it asks for and all its
/// identifiers (MQTT 5 §3.3.4), and one of its own for each shared subscription.
/// </summary>
internal sealed class SpaceFanout(SpaceMembers members, GatewayLimits limits, SessionKey sender)
{
    private readonly List<SpaceSubscription> _matches = [];
    private readonly Dictionary<SpaceMember, Wanted> _wanted = [];

    /// <summary>For the store, with the members that they are for beside them.</summary>
    public List<SessionMessage> Stored { get; } = [];

    public List<SpaceMember> StoredFor { get; } = [];

    /// <summary>For connections, in memory.</summary>
    public List<(SpaceMember Member, OutboundMessage Message)> Live { get; } = [];

    public void Add(SpacePublish message)
    {
        _matches.Clear();
        _wanted.Clear();
        members.Match(message.Space, message.Topic, _matches);
        if (_matches.Count == 0) return;
        var copies = new Copies(message);
        foreach (var match in _matches)
        {
            var asked = match.Asked;
            if (match.IsShared) Add(match.Member, copies.Of(Wanted.None.With(asked)));
            else if (!(asked.NoLocal && match.Member.Key == sender))
                _wanted[match.Member] = _wanted.GetValueOrDefault(match.Member, Wanted.None).With(asked);
        }

        foreach (var (member, wanted) in _wanted) Add(member, copies.Of(wanted));
    }

    private void Add(SpaceMember member, OutboundMessage copy)
    {
        if (copy.Qos > 0 && member.IsStored)
        {
            Stored.Add(new SessionMessage(member.Key, copy, limits.Of(member.Key.DeviceId).Queue));
            StoredFor.Add(member);
        }
        else Live.Add((member, copy));
    }

    private readonly record struct Wanted(int Qos, bool RetainAsPublished, uint[] Ids)
    {
        public static readonly Wanted None = new(0, false, []);

        public Wanted With(SessionSubscription asked) => new(
            Math.Max(Qos, asked.Qos), RetainAsPublished || asked.RetainAsPublished,
            asked.Identifier > 0 ? [.. Ids, asked.Identifier] : Ids);
    }

    /// <summary>Copies of one message; those that are alike are one.</summary>
    private sealed class Copies(SpacePublish message)
    {
        private readonly string _topic = Encoding.UTF8.GetString(message.Topic);
        private readonly OutboundMessage?[] _alike = new OutboundMessage?[6];

        public OutboundMessage Of(Wanted wanted)
        {
            var qos = Math.Min(wanted.Qos, message.Qos);
            var retain = message.Retain && wanted.RetainAsPublished;
            if (wanted.Ids.Length > 0) return Make(qos, retain, wanted.Ids);
            return _alike[(qos * 2) + (retain ? 1 : 0)] ??= Make(qos, retain, []);
        }

        private OutboundMessage Make(int qos, bool retain, uint[] ids) => new(
            _topic, qos, retain, message.Properties, message.Payload, message.ExpiresAt, Source: null, ids);
    }
}
