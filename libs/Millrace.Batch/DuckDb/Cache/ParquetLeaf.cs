using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>A column as the schema of a Parquet file says it, and what its least and greatest values mean.</summary>
/// <param name="Type">The physical type.</param>
/// <param name="Converted">What the values stand for; null for the physical type itself.</param>
internal sealed record ParquetLeaf(int Type, int? Converted)
{
    private const int Int32 = 1;
    private const int Int64 = 2;
    private const int Double = 5;
    private const int ByteArray = 6;
    private const int Utf8 = 0;
    private const int TimestampMillis = 9;
    private const int TimestampMicros = 10;
    private const int SmallestInt = 15;
    private const int LargestInt = 18;

    /// <summary>Of a time before or after these nothing is said.</summary>
    private static readonly long SecondsMin = new DateTimeOffset(2, 1, 1, 0, 0, 0, default).ToUnixTimeSeconds();

    private static readonly long SecondsMax = new DateTimeOffset(9000, 1, 1, 0, 0, 0, default).ToUnixTimeSeconds();

    /// <summary>The next element of a schema; null when it is no column but a group of some.</summary>
    public static ParquetLeaf? Read(ref CompactReader reader)
    {
        var (type, converted, children, isOther) = (-1, (int?)null, 0, false);
        for (var id = 0; reader.NextField(ref id, out var field);)
        {
            switch (id)
            {
                case 1: type = (int)reader.Whole(); break;
                case 5: children = (int)reader.Whole(); break;
                case 6: converted = (int)reader.Whole(); break;
                default:
                    isOther |= id == 10;
                    reader.Skip(field);
                    break;
            }
        }

        // A newer meaning that has no older name is none that is known here.
        return children > 0 ? null : new ParquetLeaf(type, isOther ? converted ?? int.MaxValue : converted);
    }

    /// <summary>The least value as statistics of a table have it; null when nothing is certain.</summary>
    public object? Least(ReadOnlySpan<byte> value)
    {
        if (Type != Double) return ValueOf(value);
        var real = value.Length == sizeof(double) ? BinaryPrimitives.ReadDoubleLittleEndian(value) : double.NaN;
        return double.IsNaN(real) ? null : real;
    }

    /// <summary>
    /// The greatest value, likewise. None of floating-point numbers: what is no number is greater than all, and not in
    /// statistics.
    /// </summary>
    public object? Greatest(ReadOnlySpan<byte> value) => Type == Double ? null : ValueOf(value);

    private object? ValueOf(ReadOnlySpan<byte> value) => (Type, Converted) switch
    {
        (ByteArray, Utf8) => Encoding.UTF8.GetString(value),
        (Int32, null or (>= SmallestInt and <= LargestInt)) when value.Length == sizeof(int) =>
            (long)BinaryPrimitives.ReadInt32LittleEndian(value),
        (Int64, null or (>= SmallestInt and <= LargestInt)) when value.Length == sizeof(long) =>
            BinaryPrimitives.ReadInt64LittleEndian(value),
        (Int64, TimestampMillis) when value.Length == sizeof(long) =>
            Time(BinaryPrimitives.ReadInt64LittleEndian(value), TimeSpan.TicksPerMillisecond),
        (Int64, TimestampMicros) when value.Length == sizeof(long) =>
            Time(BinaryPrimitives.ReadInt64LittleEndian(value), TimeSpan.TicksPerMicrosecond),
        _ => null,
    };

    private static string? Time(long since1970, long ticksEach)
    {
        var seconds = since1970 / (TimeSpan.TicksPerSecond / ticksEach);
        return seconds < SecondsMin || seconds > SecondsMax
            ? null
            : DateTimeOffset.UnixEpoch.AddTicks(since1970 * ticksEach).ToString("O", CultureInfo.InvariantCulture);
    }
}
