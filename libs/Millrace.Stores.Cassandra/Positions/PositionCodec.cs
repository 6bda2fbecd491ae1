using System.Buffers.Binary;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// A position as one blob. Of two that were written with the same timestamp, Cassandra keeps the one whose bytes are
/// greater; so the offset comes first, big-endian.
/// </summary>
internal static class PositionCodec
{
    private const byte Version = 1;
    private const int Size = 8 + 1 + 8 + 4 + 8 + 8 + 8;

    public static byte[] Write(DevicePosition position)
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt64BigEndian(bytes, position.Offset);
        bytes[8] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(9), position.EventAtMs);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(17), position.Partition);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(21), position.Latitude);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(29), position.Longitude);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(37), position.Altitude ?? double.NaN);
        return bytes;
    }

    public static DevicePosition Read(string device, ReadOnlySpan<byte> bytes)
    {
        if (bytes[8] != Version) throw StoreErrors.SchemaNewer.With($"position, version {bytes[8]}").AsException();
        var altitude = BinaryPrimitives.ReadDoubleBigEndian(bytes[37..]);
        return new DevicePosition(device, BinaryPrimitives.ReadDoubleBigEndian(bytes[21..]),
            BinaryPrimitives.ReadDoubleBigEndian(bytes[29..]), double.IsNaN(altitude) ? null : altitude,
            BinaryPrimitives.ReadInt64BigEndian(bytes[9..]), BinaryPrimitives.ReadInt32BigEndian(bytes[17..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}
