using System.Text;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// Over how many partitions a table of all devices is spread. A list of them in the order of their ids is merged from
/// all shards; with ten million devices a shard has 160,000.
/// </summary>
internal static class Shards
{
    public const int Count = 64;

    public static readonly IReadOnlyList<int> All = [.. Enumerable.Range(0, Count)];

    /// <summary>Stored: it never changes. FNV-1a of the UTF-8 bytes.</summary>
    public static int Of(string deviceId)
    {
        var hash = 2_166_136_261u;
        foreach (var one in Encoding.UTF8.GetBytes(deviceId)) hash = (hash ^ one) * 16_777_619u;
        return (int)((hash ^ (hash >> 16)) % Count);
    }
}
