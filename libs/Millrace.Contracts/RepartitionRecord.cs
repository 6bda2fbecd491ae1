using System.Buffers.Binary;

namespace Millrace.Contracts;

public enum RepartitionKind : byte
{
    /// <summary>Makes an epoch known.</summary>
    Fence = 1,
    Row = 2,

    /// <summary>All rows of the source that stand behind this record have its time or a later one.</summary>
    Watermark = 3,

    /// <summary>The same of one substream, whose last row nobody would have taken.</summary>
    Passed = 4,
}

/// <summary>
/// The beginning of each record of a topic repartition.QUERY, by which a query's first stage, which has a place for
/// each source partition, speaks to its second, which has one for each partition of this topic. The header
/// <see cref="OutputHeaders.Query"/> says of which query and version. Little-endian:
/// <code>
/// u8 format · u8 kind · i32 place · i64 epoch · i32 source · i64 offset · i32 ordinal
/// row:       i64 time · i64 offset · i32 element · i32 route · the device and the values that the query reads
/// watermark: i32 feed · i64 time
/// passed:    i32 feed · i64 time · the key of the substream
/// </code>
/// Times are ticks since the year 1. Where an input's rows are needed by several keys it has a route for each, and a
/// row is sent once on each; else its only route has the number of the feed. Of the values those that nobody reads at
/// the route's end may be null. Of rows of one source only rising
/// (offset, ordinal) count, so that those that a new owner sends again are passed over; records of an owner of a place
/// that is older than one that was seen of it do not count (<see cref="OwnerAge"/>).
/// </summary>
/// <param name="Place">The place of the first stage: the number of the source partition.</param>
/// <param name="Source">The source's rank among all that the query reads, in order of topic and partition.</param>
/// <param name="Offset">Where the source was read when this was sent.</param>
/// <param name="Ordinal">Counts the rows made at this offset, on all routes.</param>
public readonly record struct RepartitionRecord(
    RepartitionKind Kind, int Place, long Epoch, int Source = -1, long Offset = 0, int Ordinal = 0)
{
    public const int Bytes = 30;

    /// <summary>Of a feed and a time.</summary>
    public const int ProgressBytes = 12;

    private const byte Format = 1;

    public void Write(Span<byte> target)
    {
        target[0] = Format;
        target[1] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(target[2..], Place);
        BinaryPrimitives.WriteInt64LittleEndian(target[6..], Epoch);
        BinaryPrimitives.WriteInt32LittleEndian(target[14..], Source);
        BinaryPrimitives.WriteInt64LittleEndian(target[18..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(target[26..], Ordinal);
    }

    /// <summary>False when the value is none of this format.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out RepartitionRecord record)
    {
        record = default;
        if (value.Length < Bytes || value[0] != Format) return false;
        record = new RepartitionRecord(
            (RepartitionKind)value[1], BinaryPrimitives.ReadInt32LittleEndian(value[2..]),
            BinaryPrimitives.ReadInt64LittleEndian(value[6..]), BinaryPrimitives.ReadInt32LittleEndian(value[14..]),
            BinaryPrimitives.ReadInt64LittleEndian(value[18..]), BinaryPrimitives.ReadInt32LittleEndian(value[26..]));
        return true;
    }

    /// <summary>Which record, and element of it, a row comes of, by what stands behind the beginning.</summary>
    public static (long Offset, int Element) OriginOf(ReadOnlySpan<byte> row) =>
        (BinaryPrimitives.ReadInt64LittleEndian(row[8..]), BinaryPrimitives.ReadInt32LittleEndian(row[16..]));

    /// <summary>Whether it comes behind the other, which has the same source.</summary>
    public bool IsBehind(long offset, int ordinal) => Offset > offset || (Offset == offset && Ordinal > ordinal);
}
