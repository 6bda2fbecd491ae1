using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Millrace.TestKit.Servers;

/// <summary>
/// Asks a broker who leads the quorum of controllers. Clients are told of any broker as the controller; only this
/// request, which the .NET client does not have, says which one it is.
/// </summary>
internal static class KafkaQuorum
{
    private const short DescribeQuorum = 55;
    private const int ResponseBytesMax = 1 << 16;

    /// <summary>DescribeQuorum, version 0: its header, and partition 0 of the one topic of metadata.</summary>
    private static readonly byte[] Request =
    [
        .. Number(DescribeQuorum), .. Number(0), 0, 0, 0, 1, .. Number(-1), 0,
        2, .. Text("__cluster_metadata"), 2, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>The node that leads; -1 while there is none.</summary>
    public static async Task<int> LeaderAsync(string host, int port, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, port, ct);
        var stream = client.GetStream();
        await stream.WriteAsync(Size(Request.Length), ct);
        await stream.WriteAsync(Request, ct);
        var size = new byte[sizeof(int)];
        await stream.ReadExactlyAsync(size, ct);
        var length = BinaryPrimitives.ReadInt32BigEndian(size);
        if (length is < 0 or > ResponseBytesMax) throw new InvalidDataException($"A response of {length} bytes.");
        var response = new byte[length];
        await stream.ReadExactlyAsync(response, ct);
        return Leader(response);
    }

    /// <summary>Behind the number of the request and no tags: an error, one topic, one partition, its error.</summary>
    private static int Leader(ReadOnlySpan<byte> response)
    {
        var rest = response[(sizeof(int) + 1)..];
        if (Taken(ref rest) is not 0 and var failed) throw new InvalidDataException($"Kafka's error {failed}.");
        var name = rest[1] - 1;
        rest = rest[(2 + name + 1 + sizeof(int))..];
        if (Taken(ref rest) is not 0 and var wrong) throw new InvalidDataException($"Kafka's error {wrong}.");
        return BinaryPrimitives.ReadInt32BigEndian(rest);
    }

    private static short Taken(ref ReadOnlySpan<byte> rest)
    {
        var number = BinaryPrimitives.ReadInt16BigEndian(rest);
        rest = rest[sizeof(short)..];
        return number;
    }

    private static byte[] Number(short number)
    {
        var bytes = new byte[sizeof(short)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Size(int size)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, size);
        return bytes;
    }

    private static byte[] Text(string text) => [(byte)(text.Length + 1), .. Encoding.UTF8.GetBytes(text)];
}
