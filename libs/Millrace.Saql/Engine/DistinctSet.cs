using System.Buffers.Binary;

namespace Millrace.Saql.Engine;

/// <summary>The values that COUNT(DISTINCT) has seen, of all groups of a table, each under its group.</summary>
internal sealed class DistinctSet
{
    /// <summary>Group and accumulator before each value.</summary>
    private const int PrefixBytes = 8;

    /// <summary>Each value is a key, and nothing more. Most tables have none.</summary>
    private GroupTable? _entries;

    public int Count => _entries?.Count ?? 0;

    public long StateBytes => _entries?.StateBytes ?? 0;

    /// <summary>True when the group has not seen the value yet.</summary>
    public bool Add(int group, int accumulator, ReadOnlySpan<byte> value)
    {
        var length = PrefixBytes + value.Length;
        Span<byte> room = length <= 256 ? stackalloc byte[256] : new byte[length];
        var entry = room[..length];
        BinaryPrimitives.WriteInt32LittleEndian(entry, group);
        BinaryPrimitives.WriteInt32LittleEndian(entry[4..], accumulator);
        value.CopyTo(entry[PrefixBytes..]);
        _entries ??= new GroupTable(wordsPerGroup: 0);
        _entries.FindOrAdd(entry, 0, out var isNew);
        return isNew;
    }

    /// <summary>Adds all that another table's groups have seen.</summary>
    /// <param name="groups">Their groups' indices here.</param>
    /// <param name="added">Called for each value that is new here.</param>
    public void AddAll(DistinctSet other, ReadOnlySpan<int> groups, Action<int, int> added)
    {
        for (var i = 0; i < other.Count; i++)
        {
            var entry = other._entries!.Key(i);
            var group = groups[BinaryPrimitives.ReadInt32LittleEndian(entry)];
            var accumulator = BinaryPrimitives.ReadInt32LittleEndian(entry[4..]);
            if (Add(group, accumulator, entry[PrefixBytes..])) added(group, accumulator);
        }
    }

    public void Clear() => _entries?.Clear();

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        for (var i = 0; i < Count; i++) writer.Write(_entries!.Key(i));
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
