using System.Runtime.InteropServices;

namespace Millrace.Mqtt.Topics;

/// <summary>
/// What follows a topic level, by the level's text. One writes at a time; readers need no lock, since the chains of a
/// bucket are never changed but replaced.
/// </summary>
internal sealed class LevelTable<TNode>
    where TNode : class
{
    private volatile Entry?[] _buckets = new Entry?[4];

    public int Count { get; private set; }

    public TNode? Find(ReadOnlySpan<byte> level)
    {
        var (buckets, hash) = (_buckets, Hash(level));
        var entry = Volatile.Read(ref buckets[hash & (buckets.Length - 1)]);
        while (entry is not null && (entry.Hash != hash || !level.SequenceEqual(entry.Level))) entry = entry.Next;
        return entry?.Node;
    }

    /// <param name="level">Not there yet.</param>
    public void Add(ReadOnlySpan<byte> level, TNode node)
    {
        if (Count >= _buckets.Length) Grow();
        Put(_buckets, Hash(level), level.ToArray(), node);
        Count++;
    }

    /// <param name="level">Is there.</param>
    public void Remove(ReadOnlySpan<byte> level)
    {
        var hash = Hash(level);
        ref var bucket = ref _buckets[hash & (_buckets.Length - 1)];
        Entry? kept = null;
        for (var entry = bucket; entry is not null; entry = entry.Next)
        {
            if (entry.Hash == hash && level.SequenceEqual(entry.Level)) continue;
            kept = new Entry(hash: entry.Hash, entry.Level, entry.Node, kept);
        }

        Volatile.Write(ref bucket, kept);
        Count--;
    }

    private void Grow()
    {
        var larger = new Entry?[_buckets.Length * 2];
        foreach (var first in _buckets)
            for (var entry = first; entry is not null; entry = entry.Next)
                Put(larger, entry.Hash, entry.Level, entry.Node);
        _buckets = larger;
    }

    private static void Put(Entry?[] buckets, int hash, byte[] level, TNode node)
    {
        ref var bucket = ref buckets[hash & (buckets.Length - 1)];
        Volatile.Write(ref bucket, new Entry(hash, level, node, bucket));
    }

    /// <summary>The hash of strings, which nobody can foresee: devices choose their levels.</summary>
    private static int Hash(ReadOnlySpan<byte> level)
    {
        var pairs = string.GetHashCode(MemoryMarshal.Cast<byte, char>(level));
        return (level.Length & 1) == 0 ? pairs : HashCode.Combine(pairs, level[^1]);
    }

    private sealed class Entry(int hash, byte[] level, TNode node, Entry? next)
    {
        public int Hash => hash;

        public byte[] Level => level;

        public TNode Node => node;

        public Entry? Next => next;
    }
}
