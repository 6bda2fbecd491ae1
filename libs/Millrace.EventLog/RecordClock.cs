using Microsoft.Extensions.Options;

namespace Millrace.EventLog;

/// <summary>Says which times of records are believed now; see <see cref="EventLogOptions.TimeAheadMax"/>.</summary>
public sealed class RecordClock(IOptions<EventLogOptions> options, TimeProvider time, IEventLog? log = null)
{
    /// <summary>
    /// The latest time that is believed, in milliseconds since 1970 UTC. Where the log itself has refused what is
    /// ahead, by its servers' clocks, all is: else a process whose own clock is behind would refuse everything.
    /// </summary>
    public long LatestMs(string topic) => log?.RefusesAhead(topic) == true
        ? long.MaxValue
        : (time.GetUtcNow() + options.Value.TimeAheadMax).ToUnixTimeMilliseconds();
}
