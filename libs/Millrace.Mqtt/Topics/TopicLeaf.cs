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
        if (_own is { } own) into.AddRange(own.Items);
        if (_groups is not { } groups) return;
        foreach (var group in groups) into.Add(group.Next(isReady));
    }

    public void Add(ReadOnlySpan<byte> group, T subscriber)
    {
        if (group.IsEmpty)
        {
            _own = _own?.Add(subscriber) ?? SubscriberList<T>.Of(subscriber);
            return;
        }

        if (Find(group) is { } known) known.Members = known.Members.Add(subscriber);
        else _groups = [.. _groups ?? [], new SharedGroup(group.ToArray(), SubscriberList<T>.Of(subscriber))];
    }

    /// <summary>False when it is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> group, T subscriber)
    {
        if (group.IsEmpty)
        {
            var before = _own;
            _own = before?.Remove(subscriber);
            return before != _own;
        }

        if (Find(group) is not { } known) return false;
        var (members, left) = (known.Members, known.Members.Remove(subscriber));
        if (left is not null) known.Members = left;
        else _groups = _groups!.Length == 1 ? null : [.. _groups.Where(each => each != known)];
        return left != members;
    }

    private SharedGroup? Find(ReadOnlySpan<byte> name)
    {
        foreach (var group in _groups ?? [])
            if (name.SequenceEqual(group.Name)) return group;
        return null;
    }

    private sealed class SharedGroup(byte[] name, SubscriberList<T> members)
    {
        private volatile SubscriberList<T> _members = members;
        private int _turn = -1;

        public byte[] Name => name;

        public SubscriberList<T> Members
        {
            get => _members;
            set => _members = value;
        }

        /// <summary>The one whose turn it is; when it is not ready, the next one that is.</summary>
        public T Next(Func<T, bool>? isReady)
        {
            var members = _members.Items;
            var turn = (int)((uint)Interlocked.Increment(ref _turn) % (uint)members.Length);
            for (var i = 0; isReady is not null && i < members.Length; i++)
            {
                var member = members[(turn + i) % members.Length];
                if (isReady(member)) return member;
            }

            return members[turn];
        }
    }
}
