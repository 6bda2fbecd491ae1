namespace Millrace.Saql.Engine;

/// <summary>What is kept of one key, in the order in which keys were used last.</summary>
internal abstract class KeyEntry
{
    public byte[] Key { get; private set; } = [];

    public long UsedAt { get; set; }

    public KeyEntry? Older { get; set; }

    public KeyEntry? Newer { get; set; }

    /// <summary>What it holds beside its key.</summary>
    public virtual long ValueBytes => 0;

    /// <summary>Begins anew as the entry of a key.</summary>
    public void Name(ReadOnlySpan<byte> key)
    {
        if (Key.Length == key.Length) key.CopyTo(Key);
        else Key = key.ToArray();
        Forget();
    }

    /// <summary>Nothing is kept of the key that it had before.</summary>
    protected abstract void Forget();
}

/// <summary>Entries by key. Those that were not used for long can be taken away, oldest first.</summary>
/// <param name="spares">Entries that were taken away, perhaps of other tables.</param>
internal sealed class KeyTable<TEntry>(Spares<TEntry> spares) where TEntry : KeyEntry, new()
{
    private const int EntryBytes = 96;

    private readonly Dictionary<byte[], TEntry> _entries = new(KeyBytes.Comparer);
    private KeyEntry? _oldest;
    private KeyEntry? _newest;

    public int Count => _entries.Count;

    /// <summary>About how much the entries hold.</summary>
    public long StateBytes { get; private set; }

    /// <summary>Oldest first.</summary>
    public IEnumerable<TEntry> InOrder
    {
        get
        {
            for (var entry = _oldest; entry is not null; entry = entry.Newer) yield return (TEntry)entry;
        }
    }

    public TEntry? Find(ReadOnlySpan<byte> key) =>
        _entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var entry) ? entry : null;

    /// <summary>The entry of a key, which is used now.</summary>
    public TEntry Use(ReadOnlySpan<byte> key, long now)
    {
        var entry = Find(key);
        if (entry is null)
        {
            entry = spares.TryTake(key.Length, out var spare) ? spare : new TEntry();
            entry.Name(key);
            _entries.Add(entry.Key, entry);
            StateBytes += BytesOf(entry);
        }
        else Unlink(entry);

        Append(entry, now);
        return entry;
    }

    /// <summary>Takes away what was used last at this time or before.</summary>
    public void RemoveUpTo(long time)
    {
        while (_oldest is { } entry && entry.UsedAt <= time) Remove(entry);
    }

    /// <summary>The same, but what is still held stays, as if it was used now.</summary>
    public void RemoveUpTo(long time, long now, Func<TEntry, bool> isHeld)
    {
        while (_oldest is { } entry && entry.UsedAt <= time)
        {
            if (!isHeld((TEntry)entry))
            {
                Remove(entry);
                continue;
            }

            Unlink(entry);
            Append(entry, now);
        }
    }

    public void Clear()
    {
        _entries.Clear();
        _oldest = _newest = null;
        StateBytes = 0;
    }

    /// <summary>An entry of the table holds more than before, or less.</summary>
    public void Grew(long bytes) => StateBytes += bytes;

    private static long BytesOf(KeyEntry entry) => EntryBytes + entry.Key.Length + entry.ValueBytes;

    private void Append(KeyEntry entry, long now)
    {
        entry.UsedAt = now;
        entry.Older = _newest;
        if (_newest is null) _oldest = entry;
        else _newest.Newer = entry;
        _newest = entry;
    }

    private void Remove(KeyEntry entry)
    {
        Unlink(entry);
        _entries.Remove(entry.Key);
        StateBytes -= BytesOf(entry);
        spares.Put(entry.Key.Length, (TEntry)entry);
    }

    private void Unlink(KeyEntry entry)
    {
        if (entry.Older is null) _oldest = entry.Newer;
        else entry.Older.Newer = entry.Newer;
        if (entry.Newer is null) _newest = entry.Older;
        else entry.Newer.Older = entry.Older;
        entry.Older = entry.Newer = null;
    }
}
