namespace Millrace.Mqtt.Topics;

/// <summary>What is subscribed to after some levels.</summary>
internal sealed class TopicNode<T>
    where T : notnull
{
    private volatile LevelTable<TopicNode<T>>? _children;
    private volatile TopicNode<T>? _any;
    private volatile TopicLeaf<T>? _here;
    private volatile TopicLeaf<T>? _open;

    /// <summary>Filters that go on with +.</summary>
    public TopicNode<T>? Any => _any;

    /// <summary>Filters that end here.</summary>
    public TopicLeaf<T>? Here => _here;

    /// <summary>Filters that end with # after these levels.</summary>
    public TopicLeaf<T>? Open => _open;

    public bool IsEmpty => _children is null && _any is null && _here is null && _open is null;

    public TopicNode<T>? Child(ReadOnlySpan<byte> level) => _children?.Find(level);

    /// <param name="level">Of a filter: + is any level.</param>
    public TopicNode<T>? Find(ReadOnlySpan<byte> level) => level.SequenceEqual("+"u8) ? _any : Child(level);

    public TopicNode<T> FindOrAdd(ReadOnlySpan<byte> level)
    {
        if (level.SequenceEqual("+"u8)) return _any ??= new TopicNode<T>();
        var child = Child(level);
        if (child is not null) return child;
        child = new TopicNode<T>();
        (_children ??= new LevelTable<TopicNode<T>>()).Add(level, child);
        return child;
    }

    public void Remove(ReadOnlySpan<byte> level)
    {
        if (level.SequenceEqual("+"u8))
        {
            _any = null;
            return;
        }

        if (_children!.Count == 1) _children = null;
        else _children.Remove(level);
    }

    public TopicLeaf<T> LeafOrAdd(bool isOpen) =>
        isOpen ? _open ??= new TopicLeaf<T>() : _here ??= new TopicLeaf<T>();

    public void RemoveLeaf(bool isOpen)
    {
        if (isOpen) _open = null;
        else _here = null;
    }
}
