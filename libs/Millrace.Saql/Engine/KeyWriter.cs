using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Expressions;

namespace Millrace.Saql.Engine;

/// <summary>Values by which rows belong together, as bytes: equal ones have equal bytes.</summary>
internal sealed class KeyWriter
{
    /// <summary>What the log partition takes before the keys.</summary>
    public const int PartitionBytes = 4;

    private byte[] _bytes = new byte[64];
    private int _used;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _used);

    /// <summary>The place of the first key that was null, among those written; -1 when none was.</summary>
    public int FirstNull { get; private set; }

    /// <summary>False when an expression failed; the failure is in the frame.</summary>
    /// <param name="withPartition">Rows of several log partitions do not belong together.</param>
    public bool TryWrite(Expr[] keys, Frame frame, bool withPartition)
    {
        (_used, FirstNull) = (0, -1);
        if (withPartition)
        {
            BitConverter.TryWriteBytes(_bytes, frame.Partition);
            _used = PartitionBytes;
        }

        for (var at = 0; at < keys.Length; at++)
        {
            var value = ValueCodec.Canonical(keys[at].Evaluate(frame));
            if (value.IsNull && FirstNull < 0) FirstNull = at;
            var size = ValueCodec.Size(value);
            if (_bytes.Length < _used + size) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + size));
            _used += ValueCodec.Write(_bytes.AsSpan(_used), value);
        }

        return frame.Failure is null;
    }
}

/// <summary>Keys in a dictionary, looked up by a span.</summary>
internal sealed class KeyBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly KeyBytes Comparer = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode([DisallowNull] byte[] key) => (int)GroupTable.Hash(key);

    public bool Equals(ReadOnlySpan<byte> key, byte[] other) => key.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> key) => (int)GroupTable.Hash(key);

    public byte[] Create(ReadOnlySpan<byte> key) => key.ToArray();
}
