using Millrace.Contracts;

namespace Millrace.Stores.Sessions;

/// <summary>QoS 2 publishes from the device.</summary>
/// <param name="LastExchange">The number of the last one that is known here; exchanges count from 1.</param>
/// <param name="Open">Those not yet released.</param>
/// <param name="ScanFrom">
/// Where the log has to be read for exchanges after <paramref name="LastExchange"/>: when the session was not closed,
/// or was closed while it was not known whether the log had them.
/// </param>
public sealed record InboundExchanges(
    long LastExchange, IReadOnlyList<OpenExchange> Open, IReadOnlyList<PartitionOffset> ScanFrom)
{
    /// <summary>Of a session in which there was none.</summary>
    public static readonly InboundExchanges None = new(0, [], []);
}

/// <summary>A QoS 2 publish whose packet id may not be used for another.</summary>
/// <param name="Exchange">Its number in the session; packet ids recur, exchange numbers do not.</param>
public readonly record struct OpenExchange(ushort PacketId, long Exchange);
