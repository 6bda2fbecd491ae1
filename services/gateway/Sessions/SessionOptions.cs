using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Gateway.Sessions;

/// <summary>Sessions that outlive their connections, and what waits in them; section Gateway:Sessions.</summary>
public sealed class SessionOptions
{
    /// <summary>
    /// The longest that a session is kept without a connection, whole seconds; 3.1.1 sessions that are not clean are
    /// kept so long. 0 means that none is kept.
    /// </summary>
    public TimeSpan ExpiryMax { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Sessions of one device that are kept, each under a client id of its own. A new one beyond it ends the one that
    /// was opened longest ago, of those without a connection; when all have one, it is refused.
    /// </summary>
    [Range(1, 100_000)]
    public int SessionsMax { get; set; } = 100;

    /// <summary>How often expired sessions and wills that are due are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A gateway of which nothing was heard for so long does not have its sessions any more: they begin to expire.
    /// </summary>
    public TimeSpan NodeTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a gateway waits for another one to let go of the session of a device that came here.</summary>
    public TimeSpan TakeOverTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>QoS 2 publishes of a session that its device has not released.</summary>
    [Range(1, 65_535)]
    public int ExchangesMax { get; set; } = 4_096;

    /// <summary>
    /// After how long without a QoS 2 publish a session stops naming offsets from which the log would have to be read
    /// again after a crash.
    /// </summary>
    public TimeSpan ScanIdle { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Messages to a device that wait in one session; those of QoS 0 and of sessions that are not kept wait in memory.
    /// </summary>
    [Range(1, 10_000_000)]
    public int QueueMessagesMax { get; set; } = 1_000;

    /// <summary>Bytes that wait in one session.</summary>
    public ByteSize QueueBytesMax { get; set; } = ByteSize.FromMiB(8);

    /// <summary>
    /// Bytes that wait in memory for all clients of a gateway. Beyond it, one for which something waits is given no
    /// more; those that keep up are.
    /// </summary>
    public ByteSize MemoryBytesMax { get; set; } = ByteSize.FromMiB(512);

    /// <summary>Messages to a device that it has not acknowledged, if its receive maximum allows as many.</summary>
    [Range(1, 65_535)]
    public int OutboundInFlightMax { get; set; } = 100;

    /// <summary>Topic aliases that are used towards a client that takes them.</summary>
    [Range(0, 65_535)]
    public int OutboundTopicAliasMax { get; set; } = 16;
}
