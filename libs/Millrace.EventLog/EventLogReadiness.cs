using Microsoft.Extensions.Options;
using Millrace.Contracts;

namespace Millrace.EventLog;

/// <summary>Whether the log can be read and written now.</summary>
public sealed class EventLogReadiness(IEventLog log, IOptions<EventLogOptions> options)
{
    private static readonly TopicPartition Control = new(Contracts.Topics.Control, 0);

    /// <summary>Throws what is wrong.</summary>
    public async ValueTask CheckAsync(CancellationToken ct)
    {
        await log.RangeAsync(Control, ct);
        var waits = log.OldestAppend;
        if (waits <= options.Value.AppendWaitMax) return;
        throw EventLogErrors.AppendsWait.With(null, $"The oldest waits for {waits.TotalSeconds:0} s.").AsException();
    }
}
