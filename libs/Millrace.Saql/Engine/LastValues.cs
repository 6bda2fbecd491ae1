using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A ring of the last values.</summary>
internal sealed class LastValues : KeyEntry
{
    private const long SlotBytes = 48;

    private (long Time, byte[] Bytes, int Length)[] _ring = [];
    private int _last = -1;
    private int _count;
    private long _bytes;

    public override long ValueBytes => _bytes;

    /// <param name="back">1 is the newest.</param>
    public bool TryFind(int back, long after, out Value value)
    {
        value = Value.Null;
        if (back > _count) return false;
        ref readonly var kept = ref _ring[(_last - back + 1 + _ring.Length) % _ring.Length];
        if (kept.Time <= after) return false;
        var at = 0;
        value = ValueCodec.Read(kept.Bytes, ref at);
        return true;
    }

    public void Keep(long time, in Value value, int capacity)
    {
        ref var kept = ref Next(capacity);
        var size = ValueCodec.Size(value);
        if (kept.Bytes is null || kept.Bytes.Length < size) Hold(ref kept, new byte[Math.Max(16, size)]);
        ValueCodec.Write(kept.Bytes, value);
        (kept.Time, kept.Length) = (time, size);
    }

    protected override void Forget() => (_last, _count) = (-1, 0);

    public void Save(StateWriter writer)
    {
        writer.Write(_count);
        for (var back = _count; back > 0; back--)
        {
            ref readonly var kept = ref _ring[(_last - back + 1 + _ring.Length) % _ring.Length];
            writer.Write(kept.Time);
            writer.Write(kept.Bytes.AsSpan(0, kept.Length));
        }
    }

    public void Restore(ref StateReader reader, int capacity)
    {
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            ref var kept = ref Next(capacity);
            kept.Time = reader.ReadInt64();
            Hold(ref kept, reader.ReadBytes().ToArray());
            kept.Length = kept.Bytes.Length;
        }
    }

    private void Hold(ref (long Time, byte[] Bytes, int Length) kept, byte[] bytes)
    {
        byte[]? before = kept.Bytes;
        _bytes += bytes.Length - (before?.Length ?? 0);
        kept.Bytes = bytes;
    }

    private ref (long Time, byte[] Bytes, int Length) Next(int capacity)
    {
        if (_count == _ring.Length && _count < capacity) Grow(capacity);
        _last = (_last + 1) % _ring.Length;
        _count = Math.Min(_count + 1, _ring.Length);
        return ref _ring[_last];
    }

    private void Grow(int capacity)
    {
        // Full, and so in order from the one after the last.
        var grown = new (long, byte[], int)[Math.Min(capacity, Math.Max(1, _ring.Length * 2))];
        for (var i = 0; i < _count; i++) grown[i] = _ring[(_last + 1 + i) % _ring.Length];
        _bytes += (grown.Length - _ring.Length) * SlotBytes;
        (_ring, _last) = (grown, _count - 1);
    }
}
