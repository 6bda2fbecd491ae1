namespace Millrace.Mqtt.Topics;

/// <summary>
/// Subscribers of one filter. One writes at a time; readers need no lock. Who goes leaves an empty place, and once
/// these are many the rest moves to a new array: so that going costs no more where thousands are.
/// </summary>
internal sealed class SubscriberList<T>
    where T : notnull
{
    private const int IndexedFrom = 16;
    private const int PlacesFirst = 2;

    private volatile Place?[] _places = new Place?[PlacesFirst];
    private volatile int _end;
    private Dictionary<T, int>? _index;

    /// <summary>Of use to the writer alone.</summary>
    public int Count { get; private set; }

    /// <summary>As it is at one time; places of those who went are null.</summary>
    public ReadOnlySpan<Place?> Places
    {
        get
        {
            // In this order: an array that came later has room for an end that came before, or is empty there.
            var end = _end;
            var places = _places;
            return places.AsSpan(0, Math.Min(end, places.Length));
        }
    }

    public void Add(T one)
    {
        if (_end == _places.Length) MoveTo(new Place?[Count * 2]);
        _places[_end] = new Place(one);
        _index?.Add(one, _end);
        Count++;
        _end++;
        if (_index is null && Count >= IndexedFrom) Reindex();
    }

    /// <summary>False when it is not in it.</summary>
    public bool Remove(T one)
    {
        var at = Find(one);
        if (at < 0) return false;
        Volatile.Write(ref _places[at], null);
        _index?.Remove(one);
        Count--;
        var gone = _end - Count;
        if (Count > 0 && gone > Count / 4) MoveTo(new Place?[Math.Max(PlacesFirst, Count + (Count / 4))]);
        return true;
    }

    private int Find(T one)
    {
        if (_index is not null) return _index.GetValueOrDefault(one, -1);
        for (var i = 0; i < _end; i++)
            if (_places[i] is { } place && EqualityComparer<T>.Default.Equals(place.Subscriber, one)) return i;
        return -1;
    }

    private void MoveTo(Place?[] larger)
    {
        var end = 0;
        foreach (var place in Places)
            if (place is not null) larger[end++] = place;
        _places = larger;
        _end = end;
        Reindex();
    }

    private void Reindex()
    {
        _index = Count < IndexedFrom ? null : new Dictionary<T, int>(Count);
        for (var i = 0; _index is not null && i < _end; i++) _index.Add(_places[i]!.Subscriber, i);
    }

    internal sealed class Place(T subscriber)
    {
        public T Subscriber => subscriber;
    }
}
