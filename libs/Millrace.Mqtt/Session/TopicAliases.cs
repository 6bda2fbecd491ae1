namespace Millrace.Mqtt.Session;

/// <summary>The topics that a client has given short numbers (MQTT 5 §3.3.2.3.4).</summary>
internal sealed class TopicAliases(int max, int topicBytesMax)
{
    private readonly byte[]?[] _topics = new byte[]?[max];

    /// <summary>
    /// Keeps a topic that came with an alias, or finds the one that the alias stands for. Of one that is too long, so
    /// that its publish is refused, no more is kept than shows that it is: sixteen of them would weigh a megabyte.
    /// </summary>
    public bool TryResolve(uint alias, ReadOnlySpan<byte> topic, out ReadOnlySpan<byte> resolved)
    {
        resolved = topic;
        if (alias == 0 || alias > _topics.Length) return false;
        ref var known = ref _topics[alias - 1];
        if (topic.IsEmpty) resolved = known;
        else
        {
            var kept = topic.Length > topicBytesMax ? topic[..(topicBytesMax + 1)] : topic;
            if (!kept.SequenceEqual(known)) known = kept.ToArray();
        }

        return !resolved.IsEmpty;
    }
}
