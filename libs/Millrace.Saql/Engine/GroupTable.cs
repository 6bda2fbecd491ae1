using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.Saql.Engine;

/// <summary>One group of a window: where its parts lie, and what its first event was.</summary>
internal struct Group
{
    public int KeyStart;
    public int KeyLength;

    /// <summary>The key's values as they came, where they differ from the canonical key.</summary>
    public int ShownStart;

    public int Source;
    public int Element;

    /// <summary>Start of the only device's id; see <see cref="DeviceLength"/>.</summary>
    public int DeviceStart;

    /// <summary>-1: no device; -2: several.</summary>
    public int DeviceLength;
    public long Offset;
}

/// <summary>
/// The groups of one window or pane, dense and in order of their first event: a hash table of keys, and a block of
/// words for each group's accumulators. Cleared and used again; nothing is allocated once it has its size.
/// </summary>
internal sealed class GroupTable(int wordsPerGroup)
{
    public const int NoDevice = -1;
    public const int SeveralDevices = -2;

    private const int CountMin = 16;

    private ulong[] _buckets = new ulong[CountMin * 2];
    private Group[] _groups = new Group[CountMin];
    private long[] _words = new long[CountMin * wordsPerGroup];
    private byte[] _bytes = new byte[1024];
    private int _used;

    public int Count { get; private set; }

    /// <summary>Values counted by COUNT(DISTINCT), over all groups.</summary>
    public DistinctSet Distinct { get; } = new();

    public int WordsPerGroup => wordsPerGroup;

    public byte[] Bytes => _bytes;

    public int BytesUsed => _used;

    public ref Group this[int group] => ref _groups[group];

    public Span<long> Words(int group) => _words.AsSpan(group * wordsPerGroup, wordsPerGroup);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref long FirstWord(int group) => ref _words[group * wordsPerGroup];

    public ReadOnlySpan<byte> Key(int group) => _bytes.AsSpan(_groups[group].KeyStart, _groups[group].KeyLength);

    public ReadOnlySpan<byte> Device(int group) =>
        _bytes.AsSpan(_groups[group].DeviceStart, Math.Max(0, _groups[group].DeviceLength));

    public void Clear()
    {
        if (Count == 0) return;
        Array.Clear(_buckets);
        Array.Clear(_words, 0, Count * wordsPerGroup);
        Distinct.Clear();
        Count = 0;
        _used = 0;
    }

    /// <summary>The group of a key; a new one has words of zero and no first event yet.</summary>
    public int FindOrAdd(ReadOnlySpan<byte> key, out bool isNew)
    {
        var hash = Hash(key);
        var mask = _buckets.Length - 1;
        for (var at = (int)hash & mask; ; at = (at + 1) & mask)
        {
            var bucket = _buckets[at];
            if (bucket == 0)
            {
                isNew = true;
                return Add(key, hash, at);
            }

            if ((uint)(bucket >> 32) != hash) continue;
            var group = (int)(uint)bucket - 1;
            ref readonly var found = ref _groups[group];
            if (found.KeyLength != key.Length || !key.SequenceEqual(_bytes.AsSpan(found.KeyStart, key.Length))) continue;
            isNew = false;
            return group;
        }
    }

    /// <summary>Keeps bytes for as long as the table is not cleared; gives where they begin.</summary>
    public int Keep(ReadOnlySpan<byte> bytes)
    {
        if (_used + bytes.Length > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(_used));
        _used += bytes.Length;
        return _used - bytes.Length;
    }

    public static uint Hash(ReadOnlySpan<byte> key)
    {
        const ulong multiplier = 0x9E3779B97F4A7C15;
        var hash = (ulong)key.Length * multiplier;
        while (key.Length >= 8)
        {
            hash = BitOperations.RotateLeft((hash ^ Unsafe.ReadUnaligned<ulong>(ref MemoryMarshal.GetReference(key))) * multiplier, 29);
            key = key[8..];
        }

        ulong tail = 0;
        for (var i = 0; i < key.Length; i++) tail |= (ulong)key[i] << (i * 8);
        hash = (hash ^ tail) * multiplier;
        return (uint)((hash ^ (hash >> 32)) * multiplier >> 32);
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        writer.Write(_bytes.AsSpan(0, _used));
        writer.Write(MemoryMarshal.AsBytes(_groups.AsSpan(0, Count)));
        writer.Write(MemoryMarshal.AsBytes(_words.AsSpan(0, Count * wordsPerGroup)));
        Distinct.Save(writer);
    }

    public void Restore(ref StateReader reader)
    {
        var count = reader.ReadCount();
        var bytes = reader.ReadBytes();
        var groups = MemoryMarshal.Cast<byte, Group>(reader.ReadBytes());
        var words = MemoryMarshal.Cast<byte, long>(reader.ReadBytes());
        if (groups.Length != count || words.Length != count * wordsPerGroup) throw reader.Damaged();
        Clear();
        Keep(bytes);
        for (var i = 0; i < count; i++)
        {
            var group = groups[i];
            if (group.KeyStart < 0 || group.KeyLength < 0 || group.KeyStart > _used - group.KeyLength) throw reader.Damaged();
            FindOrAdd(bytes.Slice(group.KeyStart, group.KeyLength), out _);
            _groups[i] = group;
        }

        _used = bytes.Length;
        words.CopyTo(_words);
        Distinct.Restore(ref reader);
    }

    private int Add(ReadOnlySpan<byte> key, uint hash, int bucket)
    {
        if (Count == _groups.Length)
        {
            Array.Resize(ref _groups, Count * 2);
            Array.Resize(ref _words, Count * 2 * wordsPerGroup);
            Rehash(Count * 4);
            bucket = FreeBucket(hash);
        }

        _buckets[bucket] = ((ulong)hash << 32) | (uint)(Count + 1);
        _groups[Count] = new Group { KeyStart = Keep(key), KeyLength = key.Length, DeviceLength = NoDevice };
        _groups[Count].ShownStart = _groups[Count].KeyStart;
        return Count++;
    }

    private void Rehash(int size)
    {
        var old = _buckets;
        _buckets = new ulong[size];
        foreach (var bucket in old)
        {
            if (bucket != 0) _buckets[FreeBucket((uint)(bucket >> 32))] = bucket;
        }
    }

    private int FreeBucket(uint hash)
    {
        var mask = _buckets.Length - 1;
        var at = (int)hash & mask;
        while (_buckets[at] != 0) at = (at + 1) & mask;
        return at;
    }
}
