using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Millrace.Contracts;

/// <summary>
/// The identity of a row that a query made: what the same log makes again under the same id. Sinks upsert by it.
/// UTF-8, written where the caller has room; the length, or -1 when there is not enough.
/// </summary>
public static class RowIdentity
{
    /// <summary>What the ids of an output's rows of one source begin with.</summary>
    public static byte[] Prefix(string query, int version, string output, TopicPartition source) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{query}/{version}/{output}/{source.Topic}/{source.Partition}/"));

    /// <summary>A row that came from one source record without a window.</summary>
    public static int OfRecord(Span<byte> target, ReadOnlySpan<byte> prefix, long offset, int element, int row)
    {
        var id = new Writer(target);
        id.Add(prefix);
        id.Add("o"u8, offset);
        id.Add("/"u8, element);
        id.Add("."u8, row);
        return id.Length;
    }

    /// <summary>A row of a window: no single source record.</summary>
    /// <param name="ticks">What the end has beyond its millisecond, in ticks.</param>
    /// <param name="groupKey">In a stable text form.</param>
    public static int OfWindow(
        Span<byte> target, ReadOnlySpan<byte> prefix, int window, long ticks, long startMs, long endMs,
        ReadOnlySpan<byte> groupKey, int row)
    {
        var id = new Writer(target);
        id.Add(prefix);
        id.Add("w"u8, window);
        if (ticks != 0) id.Add("+"u8, ticks);
        id.Add(":"u8, startMs);
        id.Add("-"u8, endMs);
        id.Add("/"u8);
        id.Add(groupKey);
        id.Add("/"u8, row);
        return id.Length;
    }

    /// <summary>An id of <paramref name="length"/> bytes goes on with what operators made of the row.</summary>
    public static int WithTrail(Span<byte> target, int length, ulong trail) =>
        target.Length > length && trail.TryFormat(target[(length + 1)..], out var written, "x", null)
            ? End(target, length, written) : -1;

    private static int End(Span<byte> target, int length, int written)
    {
        target[length] = (byte)'~';
        return length + 1 + written;
    }

    private ref struct Writer(Span<byte> target)
    {
        private readonly Span<byte> _target = target;

        /// <summary>-1 when there was not enough room.</summary>
        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> part)
        {
            if (Length < 0) return;
            Length = part.TryCopyTo(_target[Length..]) ? Length + part.Length : -1;
        }

        public void Add(ReadOnlySpan<byte> part, long number)
        {
            Add(part);
            if (Length < 0) return;
            Length = Utf8Formatter.TryFormat(number, _target[Length..], out var written) ? Length + written : -1;
        }
    }
}
