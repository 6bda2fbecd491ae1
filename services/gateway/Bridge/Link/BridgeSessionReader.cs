using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Sessions;
using Millrace.Stores.Bridges;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>Finds in the log which messages of a session are durable and not released.</summary>
internal sealed class BridgeSessionReader
{
    private readonly BridgeSession _saved;
    private readonly HashSet<long> _asked;
    private readonly Dictionary<ushort, long> _inLog;

    public BridgeSessionReader(BridgeSession saved)
    {
        _saved = saved;
        _asked = [.. saved.Open.Where(each => !each.InLog).Select(each => each.Number)];
        _inLog = saved.Open.Where(each => each.InLog).ToDictionary(each => each.PacketId, each => each.Number);
    }

    public IReadOnlyCollection<(ushort PacketId, long Number)> InLog =>
        [.. _inLog.Select(each => (each.Key, each.Value)).OrderBy(each => each.Value)];

    public long RecordsRead { get; private set; }

    /// <summary>
    /// Reads a partition from the saved offset to its end, which it returns: once nothing that was appended before can
    /// still appear in it.
    /// </summary>
    public async Task<long> ReadAsync(IEventLog log, TopicPartition partition, CancellationToken ct)
    {
        var range = await log.SettledRangeAsync(partition, ct).ConfigureAwait(false);
        var from = Math.Clamp(_saved.Offsets[partition.Partition], range.First, range.Next);
        var reader = log.OpenReader(partition, from);
        await using var closing = reader.ConfigureAwait(false);
        while (reader.Position < range.Next
            && await reader.TryReadAsync(1 << 20, ct).ConfigureAwait(false) is { } batch)
        {
            RecordsRead += batch.Count;
            foreach (var (packetId, number) in ExchangeHeader.In(batch, _saved.SessionId)) See(packetId, number);
        }

        return range.Next;
    }

    private void See(ushort packetId, long number)
    {
        if (number < _saved.NextExchange && !_asked.Contains(number)) return;
        _inLog[packetId] = Math.Max(number, _inLog.GetValueOrDefault(packetId, -1));
    }
}
