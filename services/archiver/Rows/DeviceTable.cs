using System.Diagnostics.CodeAnalysis;
using Millrace.Contracts;

namespace Millrace.Archiver.Rows;

/// <summary>
/// Numbers device ids as they come, and ranks them in the order of their bytes when rows are to be sorted.
/// </summary>
internal sealed class DeviceTable
{
    /// <summary>Ids of devices that are long gone are let go of when there are so many.</summary>
    private const int DevicesMax = 1_000_000;

    private readonly Dictionary<byte[], int> _numbers = new(new KeyComparer());
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly List<byte[]> _ids = [];
    private int[] _ranks = [];

    public DeviceTable() => _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _ids.Count;

    public bool TryFind(ReadOnlySpan<byte> id, out int number) => _lookup.TryGetValue(id, out number);

    public int Add(ReadOnlySpan<byte> id)
    {
        var number = _ids.Count;
        var copy = id.ToArray();
        _ids.Add(copy);
        _numbers.Add(copy, number);
        return number;
    }

    /// <summary>The place of each number in the order of ids.</summary>
    public ReadOnlySpan<int> Ranks()
    {
        if (_ranks.Length == _ids.Count) return _ranks;
        var byId = new int[_ids.Count];
        for (var i = 0; i < byId.Length; i++) byId[i] = i;
        Array.Sort(byId, (a, b) => _ids[a].AsSpan().SequenceCompareTo(_ids[b]));
        _ranks = new int[byId.Length];
        for (var rank = 0; rank < byId.Length; rank++) _ranks[byId[rank]] = rank;
        return _ranks;
    }

    /// <summary>Between two fills: numbers given before may not be used after.</summary>
    public void Trim()
    {
        if (_ids.Count <= DevicesMax) return;
        _numbers.Clear();
        _ids.Clear();
        _ranks = [];
    }

    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] key) => GetHashCode(key.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)Partitioner.Murmur2(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
