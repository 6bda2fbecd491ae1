using Microsoft.Extensions.Options;
using Millrace.Primitives;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// What waits in memory for all clients of this gateway. Where it has no room, only a client for which nothing waits is
/// given a message: readers that are slow fill it, and those that keep up go on.
/// </summary>
internal sealed class QueueMemory
{
    private readonly ByteSize _max;
    private long _bytes;

    public QueueMemory(IOptions<GatewayOptions> options, GatewayMetrics metrics)
    {
        _max = options.Value.Sessions.MemoryBytesMax;
        metrics.Waiting(() => Interlocked.Read(ref _bytes));
    }

    /// <param name="isFirst">Nothing waits for the client.</param>
    public bool TryTake(long bytes, bool isFirst)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= _max.Bytes || isFirst) return true;
        GiveBack(bytes);
        return false;
    }

    /// <summary>For what was let in, and is kept for longer.</summary>
    public void Take(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void GiveBack(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
