using Microsoft.Extensions.Options;

namespace Millrace.EventLog;

/// <summary>Says which times of records are believed now; see <see cref="EventLogOptions.TimeAheadMax"/>.</summary>
public sealed class RecordClock(IOptions<EventLogOptions> options, TimeProvider time)
{
    /// <summary>The latest time that is believed, in milliseconds since 1970 UTC.</summary>
    public long LatestMs => (time.GetUtcNow() + options.Value.TimeAheadMax).ToUnixTimeMilliseconds();
}
