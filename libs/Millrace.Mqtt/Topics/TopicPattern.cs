namespace Millrace.Mqtt.Topics;

/// <summary>
/// A topic filter, taken apart, that can be compared with topics and with other filters (MQTT 5 §4.7). Topics that
/// begin with $ are not matched by a wildcard in their first level.
/// </summary>
public sealed class TopicPattern
{
    // Null is +.
    private readonly byte[]?[] _levels;
    private readonly bool _isOpen;

    private TopicPattern(byte[]?[] levels, bool isOpen) => (_levels, _isOpen) = (levels, isOpen);

    /// <param name="filter">Valid, and not a shared one.</param>
    public static TopicPattern Parse(ReadOnlySpan<byte> filter)
    {
        if (!TopicFilter.IsValid(filter)) throw new ArgumentException("The topic filter is not valid.", nameof(filter));
        var levels = new List<byte[]?>();
        var isOpen = false;
        foreach (var range in filter.Split((byte)'/'))
        {
            var level = filter[range];
            if (level.SequenceEqual("#"u8)) isOpen = true;
            else levels.Add(level.SequenceEqual("+"u8) ? null : level.ToArray());
        }

        // No topic is empty: # is what +/# is, and /# what /+/# is.
        if (isOpen && levels is [] or [[]]) levels.Add(null);
        return new TopicPattern([.. levels], isOpen);
    }

    /// <summary>Puts a value, to be matched literally, where a level is the placeholder; null puts a +.</summary>
    public TopicPattern Bind(ReadOnlySpan<byte> placeholder, byte[]? value)
    {
        var levels = (byte[]?[])_levels.Clone();
        foreach (ref var level in levels.AsSpan())
            if (level is not null && placeholder.SequenceEqual(level)) level = value;
        return new TopicPattern(levels, _isOpen);
    }

    public bool Matches(ReadOnlySpan<byte> topic)
    {
        for (var i = 0; i < _levels.Length; i++)
        {
            var end = topic.IndexOf((byte)'/');
            var level = end < 0 ? topic : topic[..end];
            var matches = _levels[i] is { } text ? level.SequenceEqual(text) : i > 0 || !IsHidden(level);
            var isLast = i == _levels.Length - 1;
            if (!matches || (end < 0 && !isLast)) return false;
            if (isLast) return end < 0 || _isOpen;
            topic = topic[(end + 1)..];
        }

        return false;
    }

    /// <summary>Whether it matches every topic that the other one matches.</summary>
    public bool Contains(TopicPattern other)
    {
        var fits = _isOpen
            ? other._levels.Length >= _levels.Length
            : !other._isOpen && other._levels.Length == _levels.Length;
        for (var i = 0; fits && i < _levels.Length; i++)
        {
            var (mine, theirs) = (_levels[i], other._levels[i]);
            fits = mine is null
                ? i > 0 || theirs is null || !IsHidden(theirs)
                : theirs is not null && mine.AsSpan().SequenceEqual(theirs);
        }

        return fits;
    }

    /// <summary>Whether there is a topic that both match.</summary>
    public bool Overlaps(TopicPattern other)
    {
        var (mine, theirs) = (_levels.Length, other._levels.Length);
        var fits = (mine == theirs) || (mine < theirs ? _isOpen : other._isOpen);
        for (var i = 0; fits && i < Math.Min(mine, theirs); i++)
            fits = Meet(_levels[i], other._levels[i], isFirst: i == 0);
        return fits;
    }

    private static bool Meet(byte[]? one, byte[]? other, bool isFirst)
    {
        if (one is not null && other is not null) return one.AsSpan().SequenceEqual(other);
        return !isFirst || !IsHidden(one ?? other);
    }

    private static bool IsHidden(ReadOnlySpan<byte> firstLevel) => firstLevel is [(byte)'$', ..];
}
