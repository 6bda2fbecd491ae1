using System.Text;

namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>
/// What a bridge's subscriptions make of a message. Remembers the topics that it has seen; for one caller at a time.
/// </summary>
internal sealed class BridgeMapping(IReadOnlyList<BridgeSubscriptionOptions> subscriptions, int topicsMax)
{
    private readonly SubscriptionMapping[] _mappings = [.. subscriptions.Select(each => new SubscriptionMapping(each))];
    private readonly Dictionary<string, KnownTopic> _topics = [];

    /// <summary>The subscriptions' topic filters, in order.</summary>
    public IEnumerable<string> Filters => _mappings.Select(mapping => mapping.Pattern.Filter);

    public MappingFailure Map(
        string topic, ReadOnlyMemory<byte> body, out MappedMessage? message, out string? offending)
    {
        var known = Find(topic);
        if (known is not null)
            return known.Mapping.Map(known.Utf8, known.Levels, body, out message, out offending);
        (message, offending) = (null, topic);
        return MappingFailure.TopicUnknown;
    }

    private KnownTopic? Find(string topic)
    {
        if (_topics.TryGetValue(topic, out var known)) return known;
        foreach (var mapping in _mappings)
        {
            if (mapping.Pattern.Match(topic) is not { } levels) continue;
            if (_topics.Count >= topicsMax) _topics.Clear();
            return _topics[topic] = new KnownTopic(mapping, Encoding.UTF8.GetBytes(topic), levels);
        }

        return null;
    }

    private sealed record KnownTopic(
        SubscriptionMapping Mapping, byte[] Utf8, IReadOnlyList<(string Name, string Value)> Levels);
}
