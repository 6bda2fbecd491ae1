namespace Millrace.Mqtt;

/// <summary>Topic filters: what is subscribed to (MQTT 5 §4.7).</summary>
public static class TopicFilter
{
    private static ReadOnlySpan<byte> SharedPrefix => "$share/"u8;

    /// <summary>Wildcards stand alone in their level, and # in the last one only.</summary>
    public static bool IsValid(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty) return false;
        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] is not ((byte)'+' or (byte)'#')) continue;
            var first = i == 0 || filter[i - 1] == '/';
            var last = i == filter.Length - 1;
            if (!first) return false;
            if (!last && (filter[i] == '#' || filter[i + 1] != '/')) return false;
        }

        return true;
    }

    /// <summary>Whether a topic is one that the filter, which is valid, asks for.</summary>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        // A wildcard in the first level leaves out topics that begin with $ (§4.7.2).
        var hidden = topic.StartsWith("$"u8) && filter.IndexOfAny((byte)'+', (byte)'#') == 0;
        return !hidden && LevelsMatch(filter, topic);
    }

    /// <summary>The same of the rest of a filter and the rest of a topic, behind levels that are the same.</summary>
    public static bool LevelsMatch(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        while (true)
        {
            if (filter.SequenceEqual("#"u8)) return true;
            var filterEnd = filter.IndexOf((byte)'/');
            var topicEnd = topic.IndexOf((byte)'/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            var fits = level.SequenceEqual("+"u8)
                || level.SequenceEqual(topicEnd < 0 ? topic : topic[..topicEnd]);
            if (!fits) return false;
            if (filterEnd < 0 || topicEnd < 0)
            {
                // "a/#" asks for "a" as well (§4.7.1.2).
                return (filterEnd < 0 && topicEnd < 0) || (topicEnd < 0 && filter[filterEnd..].SequenceEqual("/#"u8));
            }

            filter = filter[(filterEnd + 1)..];
            topic = topic[(topicEnd + 1)..];
        }
    }

    /// <summary>Whether it asks for a shared subscription (§4.8.2).</summary>
    public static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith(SharedPrefix);
}
