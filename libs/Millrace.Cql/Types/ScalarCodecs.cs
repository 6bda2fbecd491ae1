using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Types;

/// <summary>How each scalar lies on the wire (section 5).</summary>
internal static class ScalarCodecs
{
    private const int AnySize = ScalarCodec<int>.AnySize;
    private const int AnySizeOrEmpty = ScalarCodec<int>.AnySizeOrEmpty;
    private const long NanosecondsPerTick = 100;

    // Days are counted from the middle of an unsigned int, which is 1970-01-01.
    private const uint DateEpoch = 1U << 31;

    private static readonly int UnixDay = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    public static readonly Dictionary<Type, ValueCodec> All = new()
    {
        [typeof(string)] = new ScalarCodec<string>((buffer, value) => buffer.Utf8(value),
            Encoding.UTF8.GetString, AnySizeOrEmpty, CqlTypeCode.Text, CqlTypeCode.Ascii),
        [typeof(byte[])] = new ScalarCodec<byte[]>((buffer, value) => buffer.Raw(value),
            bytes => bytes.ToArray(), AnySizeOrEmpty, Enum.GetValues<CqlTypeCode>()),
        [typeof(ReadOnlyMemory<byte>)] = new ScalarCodec<ReadOnlyMemory<byte>>(
            (buffer, value) => buffer.Raw(value.Span), bytes => bytes.ToArray(), AnySizeOrEmpty,
            CqlTypeCode.Blob, CqlTypeCode.Text, CqlTypeCode.Ascii),
        [typeof(bool)] = new ScalarCodec<bool>((buffer, value) => buffer.Byte(value ? (byte)1 : (byte)0),
            bytes => bytes[0] != 0, sizeof(byte), CqlTypeCode.Boolean),
        [typeof(sbyte)] = new ScalarCodec<sbyte>((buffer, value) => buffer.Byte((byte)value),
            bytes => (sbyte)bytes[0], sizeof(sbyte), CqlTypeCode.Tinyint),
        [typeof(short)] = new ScalarCodec<short>((buffer, value) => buffer.Short((ushort)value),
            BinaryPrimitives.ReadInt16BigEndian, sizeof(short), CqlTypeCode.Smallint),
        [typeof(int)] = new ScalarCodec<int>((buffer, value) => buffer.Int(value),
            BinaryPrimitives.ReadInt32BigEndian, sizeof(int), CqlTypeCode.Int),
        [typeof(long)] = new ScalarCodec<long>((buffer, value) => buffer.Long(value),
            BinaryPrimitives.ReadInt64BigEndian, sizeof(long), CqlTypeCode.Bigint, CqlTypeCode.Counter,
            CqlTypeCode.Timestamp, CqlTypeCode.Time),
        [typeof(float)] = new ScalarCodec<float>(
            (buffer, value) => BinaryPrimitives.WriteSingleBigEndian(buffer.Take(sizeof(float)), value),
            BinaryPrimitives.ReadSingleBigEndian, sizeof(float), CqlTypeCode.Float),
        [typeof(double)] = new ScalarCodec<double>(
            (buffer, value) => BinaryPrimitives.WriteDoubleBigEndian(buffer.Take(sizeof(double)), value),
            BinaryPrimitives.ReadDoubleBigEndian, sizeof(double), CqlTypeCode.Double),
        [typeof(Guid)] = new ScalarCodec<Guid>((buffer, value) => WriteGuid(buffer, value),
            bytes => new Guid(bytes, bigEndian: true), 16, CqlTypeCode.Uuid, CqlTypeCode.Timeuuid),
        [typeof(IPAddress)] = new ScalarCodec<IPAddress>(WriteAddress, ReadAddress, AnySize, CqlTypeCode.Inet),
        [typeof(BigInteger)] = new ScalarCodec<BigInteger>(WriteBigInteger, ReadBigInteger, AnySize,
            CqlTypeCode.Varint),
        [typeof(CqlDecimal)] = new ScalarCodec<CqlDecimal>(WriteDecimal, ReadDecimal, AnySize, CqlTypeCode.Decimal),
        [typeof(decimal)] = new ScalarCodec<decimal>((buffer, value) => WriteDecimal(buffer, value),
            bytes => (decimal)ReadDecimal(bytes), AnySize, CqlTypeCode.Decimal),
        [typeof(DateTimeOffset)] = new ScalarCodec<DateTimeOffset>(
            (buffer, value) => buffer.Long(value.ToUnixTimeMilliseconds()), ReadTimestamp, sizeof(long),
            CqlTypeCode.Timestamp),
        [typeof(DateTime)] = new ScalarCodec<DateTime>(
            (buffer, value) => buffer.Long(new DateTimeOffset(value.ToUniversalTime()).ToUnixTimeMilliseconds()),
            bytes => ReadTimestamp(bytes).UtcDateTime, sizeof(long), CqlTypeCode.Timestamp),
        [typeof(DateOnly)] = new ScalarCodec<DateOnly>(
            (buffer, value) => buffer.Int((int)(DateEpoch + (uint)(value.DayNumber - UnixDay))), ReadDate, sizeof(int),
            CqlTypeCode.Date),
        [typeof(TimeOnly)] = new ScalarCodec<TimeOnly>(
            (buffer, value) => buffer.Long(value.Ticks * NanosecondsPerTick), ReadTime, sizeof(long), CqlTypeCode.Time),
    };

    private static void WriteGuid(WireBuffer buffer, Guid value) =>
        value.TryWriteBytes(buffer.Take(16), bigEndian: true, out _);

    private static void WriteAddress(WireBuffer buffer, IPAddress value)
    {
        var room = buffer.Take(value.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 16);
        value.TryWriteBytes(room, out _);
    }

    private static IPAddress ReadAddress(ReadOnlySpan<byte> bytes) => bytes.Length is 4 or 16
        ? new IPAddress(bytes)
        : throw CqlErrors.ValueOutOfRange.With($"{bytes.Length} bytes", "They are not an inet.").AsCql();

    private static void WriteBigInteger(WireBuffer buffer, BigInteger value) =>
        value.TryWriteBytes(buffer.Take(value.GetByteCount()), out _, isBigEndian: true);

    private static BigInteger ReadBigInteger(ReadOnlySpan<byte> bytes) => new(bytes, isBigEndian: true);

    private static void WriteDecimal(WireBuffer buffer, CqlDecimal value)
    {
        buffer.Int(value.Scale);
        WriteBigInteger(buffer, value.Unscaled);
    }

    private static CqlDecimal ReadDecimal(ReadOnlySpan<byte> bytes) => bytes.Length > 4
        ? new CqlDecimal(ReadBigInteger(bytes[4..]), BinaryPrimitives.ReadInt32BigEndian(bytes))
        : throw CqlErrors.ValueOutOfRange.With($"{bytes.Length} bytes", "They are not a decimal.").AsCql();

    private static DateTimeOffset ReadTimestamp(ReadOnlySpan<byte> bytes)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes);
        var held = milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        return held
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : throw CqlErrors.ValueOutOfRange.With(milliseconds, "Read such a timestamp as a long.").AsCql();
    }

    private static TimeOnly ReadTime(ReadOnlySpan<byte> bytes)
    {
        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes) / NanosecondsPerTick;
        return ticks >= 0 && ticks <= TimeOnly.MaxValue.Ticks
            ? new TimeOnly(ticks)
            : throw CqlErrors.ValueOutOfRange.With(ticks * NanosecondsPerTick, "It is not a time of day.").AsCql();
    }

    private static DateOnly ReadDate(ReadOnlySpan<byte> bytes)
    {
        var day = (long)BinaryPrimitives.ReadUInt32BigEndian(bytes) - DateEpoch + UnixDay;
        return day >= 0 && day <= DateOnly.MaxValue.DayNumber
            ? DateOnly.FromDayNumber((int)day)
            : throw CqlErrors.ValueOutOfRange.With($"day {day}").AsCql();
    }
}
