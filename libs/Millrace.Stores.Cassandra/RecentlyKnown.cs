using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Millrace.Stores.Cassandra;

/// <summary>
/// What was met last: at least so many, at most twice as many. When the young generation is full it becomes the old
/// one, and the old one goes; what is met again in the old one is young again. So what is met often stays, and nothing
/// has all forgotten at once. Threads may use it at the same time.
/// </summary>
internal sealed class RecentlyKnown<TKey, TValue>(int generationMax)
    where TKey : notnull
{
    private readonly Lock _turning = new();
    private volatile Generation _young = new();
    private volatile Generation _old = new();

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        // In this order: what is set meanwhile is in this young one already, or in the one that is asked then.
        if (_young.Entries.TryGetValue(key, out value)) return true;
        return _old.Entries.ContainsKey(key) && TryRenew(key, out value);
    }

    public void Set(TKey key, TValue value)
    {
        var young = _young;
        if (young.Entries.TryAdd(key, value)) Added(young);
        else young.Entries[key] = value;
    }

    /// <summary>Forgets it. Who sets it meanwhile may do so later; who only asks does not bring it back.</summary>
    public void Remove(TKey key)
    {
        lock (_turning)
        {
            _old.Entries.TryRemove(key, out _);
            if (_young.Entries.TryRemove(key, out _)) Interlocked.Decrement(ref _young.Count);
        }
    }

    /// <summary>Makes it young again, once in a generation: it is there still when nobody can remove it.</summary>
    private bool TryRenew(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_turning)
        {
            if (_young.Entries.TryGetValue(key, out value)) return true;
            if (!_old.Entries.TryGetValue(key, out value)) return false;
            if (_young.Entries.TryAdd(key, value)) Added(_young);
            return true;
        }
    }

    private void Added(Generation young)
    {
        if (Interlocked.Increment(ref young.Count) < generationMax) return;
        lock (_turning)
        {
            if (_young != young) return;
            _old = young;
            _young = new Generation();
        }
    }

    private sealed class Generation
    {
        /// <summary>Counted here: the dictionary's own count takes all its locks.</summary>
        public int Count;

        public ConcurrentDictionary<TKey, TValue> Entries { get; } = new();
    }
}
