using Millrace.ColdPath.Runs;

namespace Millrace.ColdPath.Scheduling;

/// <summary>
/// What this process knows of a job while parts of it could not be made. A process that is started again knows nothing,
/// and makes some parts once more.
/// </summary>
internal sealed class JobBacklog
{
    private readonly Dictionary<TimePart, DateTimeOffset> _madeAt = [];
    private readonly HashSet<TimePart> _failed = [];
    private int _tries;

    /// <summary>Before that the job is left alone, however often it is due.</summary>
    public DateTimeOffset RetryAt { get; private set; }

    /// <summary>Whether the part was made, and no due time since has it made anew.</summary>
    public bool IsMade(TimePart part, DueTimes due) =>
        _madeAt.TryGetValue(part, out var at) && !due.IsMadeAfter(at, part);

    /// <summary>Those that failed before come last: a part that never succeeds keeps no other waiting.</summary>
    public IReadOnlyList<TimePart> InOrder(IEnumerable<TimePart> parts) => [.. parts.OrderBy(_failed.Contains)];

    public void Add(TimePart part, DueTimes due, bool isMade)
    {
        if (isMade)
        {
            _madeAt[part] = due.Last;
            _failed.Remove(part);
        }
        else
        {
            _failed.Add(part);
        }
    }

    /// <summary>Puts the next try off, each time longer; returns by how much.</summary>
    public TimeSpan Defer(DateTimeOffset now, ColdPathOptions options)
    {
        var doubled = options.ScheduleRetryDelay * (1L << Math.Min(_tries++, 20));
        var delay = doubled < options.ScheduleRetryDelayMax ? doubled : options.ScheduleRetryDelayMax;
        RetryAt = now + delay;
        return delay;
    }
}
