using Millrace.Mqtt;
using Millrace.Mqtt.Topics;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Topics of a space that a device may use.</summary>
internal readonly record struct TopicGrant(TopicPattern Pattern, TopicSpace Space);

/// <summary>What one device may publish and subscribe to. Asking allocates nothing for a topic.</summary>
internal sealed class TopicAccess(TopicGrant[] publish, TopicGrant[] subscribe, TopicPattern[] claims)
{
    /// <param name="space">Null unless it is granted.</param>
    public TopicDecision Publish(ReadOnlySpan<byte> topic, out TopicSpace? space)
    {
        space = null;
        if (PlatformTopics.Has(topic)) return TopicDecision.NoSpace;
        foreach (var grant in publish)
        {
            if (!grant.Pattern.Matches(topic)) continue;
            space = grant.Space;
            return TopicDecision.Granted;
        }

        foreach (var claim in claims)
            if (claim.Matches(topic)) return TopicDecision.Denied;
        return TopicDecision.NoSpace;
    }

    /// <param name="filter">A shared one too: it is judged by what follows the group.</param>
    /// <param name="space">Where the subscription belongs; null unless it is granted.</param>
    public TopicDecision Subscribe(ReadOnlySpan<byte> filter, out TopicSpace? space)
    {
        space = null;
        if (SharedFilter.TryParse(filter, out _, out var shared)) filter = shared;
        if (!TopicFilter.IsValid(filter) || PlatformTopics.Has(filter)) return TopicDecision.NoSpace;
        if (filter.Count((byte)'/') >= TopicTree.LevelsMax) return TopicDecision.Denied;
        var asked = TopicPattern.Parse(filter);
        foreach (var grant in subscribe)
        {
            if (!grant.Pattern.Contains(asked)) continue;
            space = grant.Space;
            return TopicDecision.Granted;
        }

        return claims.Any(asked.Overlaps) ? TopicDecision.Denied : TopicDecision.NoSpace;
    }
}
