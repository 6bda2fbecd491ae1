namespace Millrace.Gateway.Bridge.Intake;

/// <summary>
/// Messages with QoS 2 that were taken and that the broker has not released, by packet id: while one is here, the same
/// packet id sent again is the same message (MQTT 5 §4.3.3). Guarded by the intake's lock.
/// </summary>
internal sealed class BridgeExchanges
{
    private readonly Dictionary<ushort, Exchange> _open = [];

    /// <summary>The number of the next one in this session.</summary>
    public long NextNumber { get; private set; }

    public IReadOnlyCollection<Exchange> Open => _open.Values;

    public Exchange? Find(ushort packetId) => _open.GetValueOrDefault(packetId);

    /// <summary>A packet id that is here already was forgotten by the broker: the new message replaces it.</summary>
    public void Add(ushort packetId, BridgeLane lane, long laneNumber, long notBefore) =>
        _open[packetId] = new Exchange(packetId, NextNumber++, lane, laneNumber, notBefore);

    /// <summary>One of an earlier run, which is in the log.</summary>
    public void Restore(ushort packetId, long number, BridgeLane lane)
    {
        _open[packetId] = new Exchange(packetId, number, lane, 0, 0);
        NextNumber = Math.Max(NextNumber, number + 1);
    }

    public void ContinueFrom(long number) => NextNumber = Math.Max(NextNumber, number);

    public void Remove(ushort packetId) => _open.Remove(packetId);

    /// <summary>What the log did not take will come again.</summary>
    public void Forget(BridgeLane failed)
    {
        foreach (var lost in NotDurable(failed)) _open.Remove(lost.PacketId);
    }

    /// <summary>What the log may have taken, and will come again too.</summary>
    public void Doubt(BridgeLane failed)
    {
        foreach (var each in NotDurable(failed)) _open[each.PacketId] = each with { IsInDoubt = true };
    }

    public void Reset()
    {
        _open.Clear();
        NextNumber = 0;
    }

    private List<Exchange> NotDurable(BridgeLane lane) =>
        [.. _open.Values.Where(each => each.Lane == lane && !each.IsDurable)];
}

/// <param name="Number">Counts up within the session.</param>
/// <param name="NotBefore">The record's offset is this one or a later one.</param>
/// <param name="IsInDoubt">The log did not say whether it has it, and never will.</param>
internal sealed record Exchange(
    ushort PacketId, long Number, BridgeLane Lane, long LaneNumber, long NotBefore, bool IsInDoubt = false)
{
    public bool IsDurable => !IsInDoubt && LaneNumber <= Lane.Durable;
}
