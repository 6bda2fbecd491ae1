using System.Text;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Copies of one message; those that are alike are one. Not safe for two threads at once.</summary>
internal sealed class MessageCopies(SpacePublish message)
{
    private readonly string _topic = Encoding.UTF8.GetString(message.Topic);
    private readonly OutboundMessage?[] _alike = new OutboundMessage?[6];
    private Dictionary<Wanted, OutboundMessage>? _identified;

    /// <summary>For another thread.</summary>
    public MessageCopies Anew() => new(message);

    public int QosOf(Wanted wanted) => Math.Min(wanted.Qos, message.Qos);

    public OutboundMessage Of(Wanted wanted)
    {
        var qos = QosOf(wanted);
        var retain = message.Retain && wanted.RetainAsPublished;
        if (wanted.Ids.Length == 0) return _alike[(qos * 2) + (retain ? 1 : 0)] ??= Make(qos, retain, []);
        _identified ??= [];
        if (_identified.TryGetValue(wanted, out var known)) return known;
        return _identified[wanted] = Make(qos, retain, wanted.Ids);
    }

    private OutboundMessage Make(int qos, bool retain, uint[] ids) => new(
        _topic, qos, retain, message.Properties, message.Payload, message.ExpiresAt, Source: null, ids);
}
