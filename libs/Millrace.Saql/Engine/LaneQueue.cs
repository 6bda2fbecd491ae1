namespace Millrace.Saql.Engine;

/// <summary>
/// Lanes by when they are due. A lane that is due later than before is moved only when it is looked at, so that most
/// changes cost nothing.
/// </summary>
internal sealed class LaneQueue
{
    private Entry[] _entries = new Entry[16];
    private int _count;

    /// <summary>The lane is due at another time than before.</summary>
    public void Changed(Lane lane)
    {
        if (lane.Place >= 0)
        {
            var now = new Entry(lane);
            if (now.IsBefore(_entries[lane.Place])) SiftUp(lane.Place, now);
            return;
        }

        if (lane.Due == Lane.Never) return;
        if (_count == _entries.Length) Array.Resize(ref _entries, _count * 2);
        SiftUp(_count++, new Entry(lane));
    }

    /// <summary>The lane that is due first; null when none is up to this.</summary>
    public Lane? FirstUpTo(long due)
    {
        while (_count > 0 && _entries[0].Due <= due)
        {
            var lane = _entries[0].Lane;
            var now = new Entry(lane);
            if (!_entries[0].IsBefore(now)) return lane;
            if (lane.Due == Lane.Never) RemoveFirst();
            else SiftDown(now);
        }

        return null;
    }

    public void Clear()
    {
        for (var i = 0; i < _count; i++) _entries[i].Lane.Place = -1;
        Array.Clear(_entries, 0, _count);
        _count = 0;
    }

    private void RemoveFirst()
    {
        _entries[0].Lane.Place = -1;
        var last = _entries[--_count];
        _entries[_count] = default;
        if (_count > 0) SiftDown(last);
    }

    private void SiftUp(int at, in Entry entry)
    {
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (!entry.IsBefore(_entries[parent])) break;
            Put(at, _entries[parent]);
            at = parent;
        }

        Put(at, entry);
    }

    private void SiftDown(in Entry entry)
    {
        var at = 0;
        while (true)
        {
            var child = (at * 2) + 1;
            if (child >= _count) break;
            if (child + 1 < _count && _entries[child + 1].IsBefore(_entries[child])) child++;
            if (!_entries[child].IsBefore(entry)) break;
            Put(at, _entries[child]);
            at = child;
        }

        Put(at, entry);
    }

    private void Put(int at, in Entry entry)
    {
        _entries[at] = entry;
        entry.Lane.Place = at;
    }

    /// <summary>When a lane was due when it was looked at last, which is never later than it is.</summary>
    private readonly record struct Entry(long Due, long Order, Lane Lane)
    {
        public Entry(Lane lane) : this(lane.Due, lane.Order, lane)
        {
        }

        public bool IsBefore(in Entry other) => Due != other.Due ? Due < other.Due : Order < other.Order;
    }
}
