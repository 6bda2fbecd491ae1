using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The values that aggregates such as Collect keep, of all groups of a table: chains of places in the table's bytes.
/// Of each chain a group has the count, the first and the last link in three words.
/// </summary>
internal sealed class ValueLists
{
    private Link[] _links = [];
    private int _used;

    public long StateBytes => _used * 8L;

    public void Add(ref long words, in Value value, GroupTable table)
    {
        var size = ValueCodec.Size(value);
        Span<byte> room = size <= 256 ? stackalloc byte[256] : new byte[size];
        ValueCodec.Write(room, value);
        if (_used == _links.Length) Array.Resize(ref _links, Math.Max(16, _used * 2));
        _links[_used] = new Link(table.Keep(room[..size]), -1);
        ref var first = ref Unsafe.Add(ref words, 1);
        ref var last = ref Unsafe.Add(ref words, 2);
        if (words++ == 0) first = _used;
        else _links[last].Next = _used;
        last = _used++;
    }

    /// <summary>The values in the order in which they came.</summary>
    public Chain Of(long count, long first, GroupTable table) => new(_links, table.Bytes, count, first);

    public void Clear() => _used = 0;

    public void Save(StateWriter writer) => writer.Write(MemoryMarshal.AsBytes(_links.AsSpan(0, _used)));

    public void Restore(ref StateReader reader)
    {
        _links = MemoryMarshal.Cast<byte, Link>(reader.ReadBytes()).ToArray();
        _used = _links.Length;
    }

    private struct Link(int start, int next)
    {
        public int Start = start;
        public int Next = next;
    }

    public readonly struct Chain
    {
        private readonly Link[] _links;
        private readonly byte[] _bytes;
        private readonly long _first;

        internal Chain(object links, byte[] bytes, long count, long first) =>
            (_links, _bytes, Count, _first) = ((Link[])links, bytes, count, first);

        public long Count { get; }

        public IEnumerator<Value> GetEnumerator()
        {
            var link = (int)_first;
            for (var left = Count; left > 0; left--)
            {
                var at = _links[link].Start;
                yield return ValueCodec.Read(_bytes, ref at);
                link = _links[link].Next;
            }
        }
    }
}
