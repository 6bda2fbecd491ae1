namespace Millrace.Mqtt.Topics;

public static class TopicTree
{
    /// <summary>The most levels that a filter in a tree may have.</summary>
    public const int LevelsMax = 128;
}

/// <summary>
/// Finds the subscribers of a topic (MQTT 5 §4.7, §4.8.2): + and # as wildcards, none of which matches a first level
/// with $, and shared subscriptions, of whose group the members take turns. Readers need no lock and allocate nothing;
/// writers wait for each other.
/// </summary>
/// <param name="readinessOf">Of a member of a group: one that is less ready than another is passed over.</param>
/// <typeparam name="T">A subscription, told by its equality.</typeparam>
public sealed class TopicTree<T>(Func<T, MemberReadiness>? readinessOf = null)
    where T : notnull
{
    private readonly Lock _writing = new();
    private readonly TopicNode<T> _root = new();
    private int _count;

    /// <summary>Subscriptions in the tree.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether no part of it is kept for a filter.</summary>
    internal bool IsBare => _root.IsEmpty;

    /// <summary>
    /// A subscription that is to replace another is added before that is removed: so no message is missed.
    /// </summary>
    /// <param name="filter">A valid one, or $share/group/filter.</param>
    /// <param name="subscriber">Not yet there under this filter.</param>
    public void Add(ReadOnlySpan<byte> filter, T subscriber)
    {
        var rest = Split(filter, out var group, out var isOpen, out var hasLevels);
        lock (_writing)
        {
            var node = _root;
            if (hasLevels)
                foreach (var range in rest.Split((byte)'/')) node = node.FindOrAdd(rest[range]);
            node.LeafOrAdd(isOpen).Add(group, subscriber);
            _count++;
        }
    }

    /// <summary>False when it was not there.</summary>
    public bool Remove(ReadOnlySpan<byte> filter, T subscriber)
    {
        var rest = Split(filter, out var group, out var isOpen, out var hasLevels);
        lock (_writing)
        {
            var removed = Remove(_root, rest, hasLevels, group, isOpen, subscriber);
            if (removed) _count--;
            return removed;
        }
    }

    /// <summary>
    /// Adds the subscribers of the topic to the list: one for each filter that matches, and one of each group. Who
    /// subscribes with several filters that overlap is in it several times.
    /// </summary>
    public void Match(ReadOnlySpan<byte> topic, List<TopicMatch<T>> into)
    {
        if (topic is not [(byte)'$', ..])
        {
            Match(_root, topic, 0, into);
            return;
        }

        var end = topic.IndexOf((byte)'/');
        var first = _root.Child(end < 0 ? topic : topic[..end]);
        if (first is not null) Match(first, topic, (end < 0 ? topic.Length : end) + 1, into);
    }

    /// <summary>Those who share a subscription; null when nobody has it.</summary>
    /// <param name="filter">$share/group/filter.</param>
    public SharedGroup<T>? FindGroup(ReadOnlySpan<byte> filter)
    {
        var rest = Split(filter, out var group, out var isOpen, out var hasLevels);
        var node = _root;
        if (hasLevels)
        {
            foreach (var range in rest.Split((byte)'/'))
            {
                if (node.Find(rest[range]) is not { } next) return null;
                node = next;
            }
        }

        return (isOpen ? node.Open : node.Here)?.Find(group);
    }

    /// <param name="start">Of the next level; behind the end when there is none.</param>
    private void Match(TopicNode<T> node, ReadOnlySpan<byte> topic, int start, List<TopicMatch<T>> into)
    {
        for (; ; )
        {
            node.Open?.AddTo(into, readinessOf);
            if (start > topic.Length)
            {
                node.Here?.AddTo(into, readinessOf);
                return;
            }

            var length = topic[start..].IndexOf((byte)'/');
            var level = length < 0 ? topic[start..] : topic.Slice(start, length);
            start += level.Length + 1;
            if (node.Any is { } any) Match(any, topic, start, into);
            if (node.Child(level) is not { } child) return;
            node = child;
        }
    }

    private static bool Remove(
        TopicNode<T> node, ReadOnlySpan<byte> rest, bool hasLevels, ReadOnlySpan<byte> group, bool isOpen, T subscriber)
    {
        if (!hasLevels)
        {
            if ((isOpen ? node.Open : node.Here) is not { } leaf || !leaf.Remove(group, subscriber)) return false;
            if (leaf.IsEmpty) node.RemoveLeaf(isOpen);
            return true;
        }

        var end = rest.IndexOf((byte)'/');
        var level = end < 0 ? rest : rest[..end];
        if (node.Find(level) is not { } child) return false;
        var removed = Remove(child, end < 0 ? default : rest[(end + 1)..], end >= 0, group, isOpen, subscriber);
        if (removed && child.IsEmpty) node.Remove(level);
        return removed;
    }

    /// <summary>The levels before a last #; of # alone there are none, of /# there is an empty one.</summary>
    private static ReadOnlySpan<byte> Split(
        ReadOnlySpan<byte> filter, out ReadOnlySpan<byte> group, out bool isOpen, out bool hasLevels)
    {
        var isLegal = !TopicFilter.IsShared(filter) | SharedFilter.TryParse(filter, out group, out var shared);
        if (!group.IsEmpty) filter = shared;
        isLegal = isLegal && TopicFilter.IsValid(filter) && filter.Count((byte)'/') < TopicTree.LevelsMax;
        if (!isLegal)
            throw new ArgumentException("The topic filter is not valid, or has too many levels.", nameof(filter));
        isOpen = filter[^1] == '#';
        hasLevels = !isOpen || filter.Length > 1;
        if (!isOpen) return filter;
        return hasLevels ? filter[..^2] : default;
    }
}
