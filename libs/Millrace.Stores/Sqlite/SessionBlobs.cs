using Millrace.Contracts;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// How exchanges and wills are kept: exchanges are saved with each release, so they are small and written fast.
/// </summary>
internal static class SessionBlobs
{
    public static byte[] Write(InboundExchanges inbound) => Write(writer =>
    {
        writer.Write7BitEncodedInt64(inbound.LastExchange);
        writer.Write7BitEncodedInt(inbound.Open.Count);
        foreach (var open in inbound.Open)
        {
            writer.Write(open.PacketId);
            writer.Write7BitEncodedInt64(open.Exchange);
        }

        writer.Write7BitEncodedInt(inbound.ScanFrom.Count);
        foreach (var (partition, offset) in inbound.ScanFrom)
        {
            writer.Write(partition.Topic);
            writer.Write7BitEncodedInt(partition.Partition);
            writer.Write7BitEncodedInt64(offset);
        }
    });

    public static InboundExchanges ReadInbound(byte[] blob)
    {
        using var reader = new BinaryReader(new MemoryStream(blob));
        var last = reader.Read7BitEncodedInt64();
        var open = new OpenExchange[reader.Read7BitEncodedInt()];
        for (var i = 0; i < open.Length; i++)
            open[i] = new OpenExchange(reader.ReadUInt16(), reader.Read7BitEncodedInt64());
        var scan = new PartitionOffset[reader.Read7BitEncodedInt()];
        for (var i = 0; i < scan.Length; i++)
        {
            var partition = new TopicPartition(reader.ReadString(), reader.Read7BitEncodedInt());
            scan[i] = new PartitionOffset(partition, reader.Read7BitEncodedInt64());
        }

        return new InboundExchanges(last, open, scan);
    }

    /// <summary>All but its delay, which is looked at.</summary>
    public static byte[] Write(StoredWill will) => Write(writer =>
    {
        writer.Write((byte)will.Qos);
        writer.Write(will.Retain);
        writer.Write(will.Topic);
        writer.Write7BitEncodedInt(will.Properties.Length);
        writer.Write(will.Properties);
        writer.Write(will.Payload);
    });

    public static StoredWill ReadWill(byte[] blob, uint delaySeconds)
    {
        var stream = new MemoryStream(blob);
        using var reader = new BinaryReader(stream);
        var qos = reader.ReadByte();
        var retain = reader.ReadBoolean();
        var topic = reader.ReadString();
        var properties = reader.ReadBytes(reader.Read7BitEncodedInt());
        return new StoredWill(topic, qos, retain, properties, reader.ReadBytes(blob.Length - (int)stream.Position),
            delaySeconds);
    }

    private static byte[] Write(Action<BinaryWriter> write)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        write(writer);
        return stream.ToArray();
    }
}
