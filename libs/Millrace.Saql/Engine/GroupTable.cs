using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.Saql.Engine;

/// <summary>What is seldom asked of a group: where its parts lie, and what its first event was.</summary>
internal struct Group
{
    public int KeyStart;
    public int KeyLength;

    /// <summary>1 when the key is the bytes of one text, 0 when it is encoded values.</summary>
    public int KeyTag;

    /// <summary>Where the key's values stand as they came.</summary>
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
/// The groups of one window or pane, dense and in order of their first event: a hash table of keys, and for each group
/// a block of words that an event touches: the key's length and first bytes, and the accumulators. Cleared and used
/// again; nothing is allocated once it has its size.
/// </summary>
internal sealed class GroupTable(int wordsPerGroup)
{
    /// <summary>There may be as many tables as keys, each with one group.</summary>
    private const int GroupsMin = 1;

    public const int NoDevice = -1;
    public const int SeveralDevices = -2;

    /// <summary>Keys up to this length are compared within the block, which is a cache line with one sum.</summary>
    private const int InlineKeyBytes = 16;
    private const int HeadWords = 1 + (InlineKeyBytes / 8);
    private const int BytesAGroup = 64;

    /// <summary>Behind the last block, so that a group without accumulators has a first word too.</summary>
    private const int SpareWords = 1;

    private readonly int _blockWords = HeadWords + wordsPerGroup;

    /// <summary>
    /// A group's number plus one in the low bits, as many as number the buckets; above them, bits of its hash.
    /// </summary>
    private uint[] _buckets = new uint[GroupsMin * 2];

    private Group[] _groups = new Group[GroupsMin];
    private long[] _blocks = new long[(GroupsMin * (HeadWords + wordsPerGroup)) + SpareWords];
    private byte[] _bytes = new byte[GroupsMin * BytesAGroup];
    private int _used;

    public int Count { get; private set; }

    /// <summary>Values counted by COUNT(DISTINCT), over all groups.</summary>
    public DistinctSet Distinct { get; } = new();

    /// <summary>Values that aggregates keep as they came.</summary>
    public ValueLists Values { get; } = new();

    public byte[] Bytes => _bytes;

    public long StateBytes => _used + (Count * ((_blockWords * 8L) + Unsafe.SizeOf<Group>() + 16))
        + Distinct.StateBytes + Values.StateBytes;

    public ref Group this[int group] => ref _groups[group];

    /// <summary>The first of a group's words for accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref long FirstWord(int group) => ref _blocks[(group * _blockWords) + HeadWords];

    public ReadOnlySpan<byte> Key(int group) => _bytes.AsSpan(_groups[group].KeyStart, _groups[group].KeyLength);

    public ReadOnlySpan<byte> Device(int group) =>
        _bytes.AsSpan(_groups[group].DeviceStart, Math.Max(0, _groups[group].DeviceLength));

    public void Clear()
    {
        if (Count == 0) return;
        Array.Clear(_buckets);
        Array.Clear(_blocks, 0, Count * _blockWords);
        Distinct.Clear();
        Values.Clear();
        Count = 0;
        _used = 0;
    }

    /// <summary>The group of a key; a new one has words of zero and no first event yet.</summary>
    public int FindOrAdd(ReadOnlySpan<byte> key, int tag, out bool isNew)
    {
        var hash = Hash(key) ^ (uint)tag;
        var head = Head(key.Length, tag);
        var buckets = _buckets;
        var mask = (uint)(buckets.Length - 1);
        for (var at = hash & mask; ; at = (at + 1) & mask)
        {
            var bucket = buckets[at];
            if (bucket == 0)
            {
                isNew = true;
                return Add(key, tag, hash, (int)at);
            }

            if (((bucket ^ hash) & ~mask) != 0) continue;
            var group = (int)(bucket & mask) - 1;
            ref var block = ref _blocks[group * _blockWords];
            if (block != head || !HasKey(ref block, group, key)) continue;
            isNew = false;
            return group;
        }
    }

    private static long Head(int keyLength, int tag) => ((long)keyLength << 1) | (uint)tag;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool HasKey(ref long block, int group, ReadOnlySpan<byte> key)
    {
        ref var kept = ref Unsafe.As<long, byte>(ref Unsafe.Add(ref block, 1));
        if (key.Length is < 8 or > InlineKeyBytes) return HasOtherKey(ref kept, group, key);
        ref var wanted = ref MemoryMarshal.GetReference(key);
        var last = key.Length - 8;
        return Word(ref kept, 0) == Word(ref wanted, 0) && Word(ref kept, last) == Word(ref wanted, last);
    }

    private bool HasOtherKey(ref byte kept, int group, ReadOnlySpan<byte> key) => key.Length <= InlineKeyBytes
        ? MemoryMarshal.CreateReadOnlySpan(ref kept, key.Length).SequenceEqual(key)
        : key.SequenceEqual(_bytes.AsSpan(_groups[group].KeyStart, key.Length));

    private static ulong Word(ref byte bytes, int at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, at));

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
        ref var first = ref MemoryMarshal.GetReference(key);
        if (key.Length >= 8)
        {
            // The last eight bytes overlap those before, so that no tail is left.
            for (var at = 0; at < key.Length - 8; at += 8)
                hash = BitOperations.RotateLeft((hash ^ Word(ref first, at)) * multiplier, 29);
            hash = (hash ^ Word(ref first, key.Length - 8)) * multiplier;
        }
        else
        {
            ulong tail = 0;
            for (var i = 0; i < key.Length; i++) tail |= (ulong)key[i] << (i * 8);
            hash = (hash ^ tail) * multiplier;
        }

        return (uint)(((hash ^ (hash >> 32)) * multiplier) >> 32);
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        writer.Write(_bytes.AsSpan(0, _used));
        writer.Write(MemoryMarshal.AsBytes(_groups.AsSpan(0, Count)));
        writer.Write(MemoryMarshal.AsBytes(_blocks.AsSpan(0, Count * _blockWords)));
        Distinct.Save(writer);
        Values.Save(writer);
    }

    public void Restore(ref StateReader reader)
    {
        var count = reader.ReadCount();
        var bytes = reader.ReadBytes();
        var groups = MemoryMarshal.Cast<byte, Group>(reader.ReadBytes());
        var blocks = MemoryMarshal.Cast<byte, long>(reader.ReadBytes());
        if (groups.Length != count || blocks.Length != count * _blockWords) throw reader.Damaged();
        Clear();
        Keep(bytes);
        for (var i = 0; i < count; i++)
        {
            var group = groups[i];
            if (group.KeyStart < 0 || group.KeyLength < 0 || group.KeyStart > _used - group.KeyLength)
                throw reader.Damaged();
            FindOrAdd(bytes.Slice(group.KeyStart, group.KeyLength), group.KeyTag, out _);
            _groups[i] = group;
        }

        _used = bytes.Length;
        blocks.CopyTo(_blocks);
        Distinct.Restore(ref reader);
        Values.Restore(ref reader);
    }

    private int Add(ReadOnlySpan<byte> key, int tag, uint hash, int bucket)
    {
        if (Count == _groups.Length)
        {
            Array.Resize(ref _groups, Count * 2);
            Array.Resize(ref _blocks, (Count * 2 * _blockWords) + SpareWords);
            Rehash(Count * 4);
            bucket = FreeBucket(hash);
        }

        Fill(bucket, hash, Count);
        var start = Keep(key);
        _groups[Count] = new Group
        {
            KeyStart = start,
            KeyLength = key.Length,
            KeyTag = tag,
            ShownStart = start,
            DeviceLength = NoDevice,
        };
        ref var block = ref _blocks[Count * _blockWords];
        block = Head(key.Length, tag);
        if (key.Length <= InlineKeyBytes)
            key.CopyTo(
                MemoryMarshal.CreateSpan(ref Unsafe.As<long, byte>(ref Unsafe.Add(ref block, 1)), InlineKeyBytes));
        return Count++;
    }

    private void Rehash(int size)
    {
        _buckets = new uint[size];
        for (var group = 0; group < Count; group++)
        {
            var hash = Hash(Key(group)) ^ (uint)_groups[group].KeyTag;
            Fill(FreeBucket(hash), hash, group);
        }
    }

    private void Fill(int bucket, uint hash, int group)
    {
        var mask = (uint)(_buckets.Length - 1);
        _buckets[bucket] = (hash & ~mask) | (uint)(group + 1);
    }

    private int FreeBucket(uint hash)
    {
        var mask = _buckets.Length - 1;
        var at = (int)hash & mask;
        while (_buckets[at] != 0) at = (at + 1) & mask;
        return at;
    }
}
