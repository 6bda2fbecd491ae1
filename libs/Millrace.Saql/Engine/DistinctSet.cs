using System.Buffers.Binary;

namespace Millrace.Saql.Engine;

/// <summary>The values that COUNT(DISTINCT) has seen, of all groups of a table, each under its group.</summary>
internal sealed class DistinctSet
{
    /// <summary>Group and accumulator before each value.</summary>
    private const int PrefixBytes = 8;

    private readonly HashSet<byte[]> _entries = new(KeyBytes.Comparer);
    private readonly List<byte[]> _inOrder = [];

    public int Count => _inOrder.Count;

    /// <summary>True when the group has not seen the value yet. Only a new value allocates.</summary>
    public bool Add(int group, int accumulator, ReadOnlySpan<byte> value)
    {
        var length = PrefixBytes + value.Length;
        Span<byte> room = length <= 256 ? stackalloc byte[256] : new byte[length];
        var entry = room[..length];
        BinaryPrimitives.WriteInt32LittleEndian(entry, group);
        BinaryPrimitives.WriteInt32LittleEndian(entry[4..], accumulator);
        value.CopyTo(entry[PrefixBytes..]);
        var lookup = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!lookup.Add(entry)) return false;
        lookup.TryGetValue(entry, out var kept);
        _inOrder.Add(kept!);
        return true;
    }

    /// <summary>Adds all that another table's groups have seen.</summary>
    /// <param name="groups">Their groups' indices here.</param>
    /// <param name="added">Called for each value that is new here.</param>
    public void AddAll(DistinctSet other, ReadOnlySpan<int> groups, Action<int, int> added)
    {
        foreach (var entry in other._inOrder)
        {
            var group = groups[BinaryPrimitives.ReadInt32LittleEndian(entry)];
            var accumulator = BinaryPrimitives.ReadInt32LittleEndian(entry.AsSpan(4));
            if (Add(group, accumulator, entry.AsSpan(PrefixBytes))) added(group, accumulator);
        }
    }

    public void Clear()
    {
        _entries.Clear();
        _inOrder.Clear();
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_inOrder.Count);
        foreach (var entry in _inOrder) writer.Write(entry);
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var entry = reader.ReadBytes();
            if (entry.Length < PrefixBytes) throw reader.Damaged();
            Add(BinaryPrimitives.ReadInt32LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[4..]),
                entry[PrefixBytes..]);
        }
    }
}
