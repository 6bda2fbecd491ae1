namespace Millrace.Stores;

/// <summary>A page of a list, while what is in the list is looked at in its order.</summary>
internal sealed class FilteredPage<T>
    where T : class
{
    private readonly Func<T, bool> _fits;
    private readonly int _limit;
    private readonly int _lookedAtMax;
    private readonly List<T> _items = [];
    private int _looked;
    private T? _last;

    public FilteredPage(Func<T, bool> fits, int limit, int lookedAtMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lookedAtMax);
        (_fits, _limit, _lookedAtMax) = (fits, limit, lookedAtMax);
    }

    /// <summary>The next item belongs to another page.</summary>
    public bool IsFull => _items.Count == _limit || _looked == _lookedAtMax;

    /// <summary>Looks at an item: whether it is to be added.</summary>
    public bool Takes(T item)
    {
        _looked++;
        _last = item;
        return _fits(item);
    }

    public void Add(T item) => _items.Add(item);

    public Page<T> End(bool hasMore, Func<T, string> tokenAfter) => new(_items, hasMore ? tokenAfter(_last!) : null);
}
