using System.Buffers.Binary;
using System.Text;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// A position as one blob. Of two that were written with the same timestamp, Cassandra keeps the one whose bytes are
/// greater; so the offset comes first, big-endian. What tells whose the row was came later, at the end, where a process
/// that does not know of it does not look.
/// </summary>
internal static class PositionCodec
{
    private const byte Version = 1;
    private const int PlaceBytes = 8 + 1 + 8 + 4 + 8 + 8 + 8;
    private const int HeadBytes = PlaceBytes + 8;

    public static byte[] Write(DevicePosition position)
    {
        var generation = Encoding.UTF8.GetBytes(position.GenerationId ?? "");
        var bytes = new byte[HeadBytes + generation.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, position.Offset);
        bytes[8] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(9), position.EventAtMs);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(17), position.Partition);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(21), position.Latitude);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(29), position.Longitude);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(37), position.Altitude ?? double.NaN);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(PlaceBytes), position.EnqueuedAtMs);
        generation.CopyTo(bytes, HeadBytes);
        return bytes;
    }

    public static DevicePosition Read(string device, ReadOnlySpan<byte> bytes)
    {
        if (bytes[8] != Version) throw StoreErrors.SchemaNewer.With($"position, version {bytes[8]}").AsException();
        var altitude = BinaryPrimitives.ReadDoubleBigEndian(bytes[37..]);
        var eventAtMs = BinaryPrimitives.ReadInt64BigEndian(bytes[9..]);
        var (enqueuedAtMs, generation) = bytes.Length < HeadBytes
            ? (eventAtMs, "")
            : (BinaryPrimitives.ReadInt64BigEndian(bytes[PlaceBytes..]), Encoding.UTF8.GetString(bytes[HeadBytes..]));
        return new DevicePosition(device, BinaryPrimitives.ReadDoubleBigEndian(bytes[21..]),
            BinaryPrimitives.ReadDoubleBigEndian(bytes[29..]), double.IsNaN(altitude) ? null : altitude,
            eventAtMs, BinaryPrimitives.ReadInt32BigEndian(bytes[17..]), BinaryPrimitives.ReadInt64BigEndian(bytes),
            enqueuedAtMs, generation.Length == 0 ? null : generation);
    }
}
