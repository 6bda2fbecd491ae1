namespace Millrace.Mqtt.Topics;

/// <summary>Who subscribes to one filter: each for itself, or in groups that share.</summary>
internal sealed class TopicLeaf<T>
    where T : notnull
{
    private volatile SubscriberList<T>? _own;
    private volatile SharedGroup<T>[]? _groups;

    public bool IsEmpty => _own is null && _groups is null;

    public void AddTo(List<TopicMatch<T>> into, Func<T, MemberReadiness>? readinessOf)
    {
        if (_own is { } own)
            foreach (var place in own.Places)
                if (place is not null) into.Add(new TopicMatch<T>(place.Subscriber, Group: null));
        if (_groups is not { } groups) return;
        foreach (var group in groups)
            if (group.Next(readinessOf) is { } next) into.Add(new TopicMatch<T>(next.Subscriber, group));
    }

    public SharedGroup<T>? Find(ReadOnlySpan<byte> name)
    {
        foreach (var group in _groups ?? [])
            if (name.SequenceEqual(group.Name)) return group;
        return null;
    }

    public void Add(ReadOnlySpan<byte> group, T subscriber)
    {
        if (group.IsEmpty)
        {
            var own = _own ?? new SubscriberList<T>();
            own.Add(subscriber);
            _own = own;
        }
        else if (Find(group) is { } known) known.Members.Add(subscriber);
        else
        {
            var added = new SharedGroup<T>(group);
            added.Members.Add(subscriber);
            _groups = [.. _groups ?? [], added];
        }
    }

    /// <summary>False when it is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> group, T subscriber)
    {
        if (group.IsEmpty)
        {
            if (_own?.Remove(subscriber) != true) return false;
            if (_own.Count == 0) _own = null;
            return true;
        }

        if (Find(group) is not { } known || !known.Members.Remove(subscriber)) return false;
        if (known.Members.Count == 0)
            _groups = _groups!.Length == 1 ? null : [.. _groups.Where(each => each != known)];
        return true;
    }
}
