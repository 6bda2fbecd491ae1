namespace Millrace.Mqtt.Topics;

/// <summary>Who subscribes to one filter: each for itself, or in groups that share.</summary>
internal sealed class TopicLeaf<T>
    where T : notnull
{
    private volatile SubscriberList<T>? _own;
    private volatile SharedGroup[]? _groups;

    public bool IsEmpty => _own is null && _groups is null;

    public void AddTo(List<T> into, Func<T, bool>? isReady)
    {
        if (_own is { } own)
            foreach (var place in own.Places)
                if (place is not null) into.Add(place.Subscriber);
        if (_groups is not { } groups) return;
        foreach (var group in groups)
            if (group.Next(isReady) is { } next) into.Add(next.Subscriber);
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
            var added = new SharedGroup(group.ToArray());
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

    private SharedGroup? Find(ReadOnlySpan<byte> name)
    {
        foreach (var group in _groups ?? [])
            if (name.SequenceEqual(group.Name)) return group;
        return null;
    }

    private sealed class SharedGroup(byte[] name)
    {
        private int _turn = -1;

        public byte[] Name => name;

        public SubscriberList<T> Members { get; } = new();

        /// <summary>The one whose turn it is; when it is not ready, the next one that is.</summary>
        public SubscriberList<T>.Place? Next(Func<T, bool>? isReady)
        {
            var places = Members.Places;
            var turn = places.IsEmpty ? 0 : (int)((uint)Interlocked.Increment(ref _turn) % (uint)places.Length);
            SubscriberList<T>.Place? first = null;
            for (var i = 0; i < places.Length; i++)
            {
                if (places[(turn + i) % places.Length] is not { } place) continue;
                if (isReady?.Invoke(place.Subscriber) != false) return place;
                first ??= place;
            }

            return first;
        }
    }
}
