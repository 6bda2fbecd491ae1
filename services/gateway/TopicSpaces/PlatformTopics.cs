namespace Millrace.Gateway.TopicSpaces;

/// <summary>Topics that are never of a space, whatever its filters say.</summary>
internal static class PlatformTopics
{
    /// <summary>Whether the first level, written out, is theirs. A filter that begins with + or # is not.</summary>
    public static bool Has(ReadOnlySpan<byte> topicOrFilter)
    {
        var end = topicOrFilter.IndexOf((byte)'/');
        var first = end < 0 ? topicOrFilter : topicOrFilter[..end];
        return first is [(byte)'$', ..] || first.SequenceEqual("devices"u8) || first.SequenceEqual("telemetry"u8);
    }
}
