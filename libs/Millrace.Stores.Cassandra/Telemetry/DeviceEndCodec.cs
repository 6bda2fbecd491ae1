using System.Buffers.Binary;
using System.Text;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// The end of a device as one cell beside what is latest of it. Its timestamp is when the device was deleted: of two
/// ends the later one stays. It stays for good, for a message of the device may come whenever the log is read again.
/// </summary>
internal static class DeviceEndCodec
{
    private const int HeadBytes = 8;

    public static byte[] Write(DeviceEnd end)
    {
        var generation = Encoding.UTF8.GetBytes(end.GenerationId ?? "");
        var bytes = new byte[HeadBytes + generation.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, end.AtMs);
        generation.CopyTo(bytes, HeadBytes);
        return bytes;
    }

    /// <summary>Null when the cell is.</summary>
    public static DeviceEnd? Read(string device, in Row row, int column)
    {
        if (row.IsNull(column)) return null;
        var bytes = row.Bytes(column);
        var generation = Encoding.UTF8.GetString(bytes[HeadBytes..]);
        return new DeviceEnd(device, generation.Length == 0 ? null : generation,
            BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}
