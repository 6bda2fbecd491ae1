namespace Millrace.Stores.Jobs;

public enum JobRunState
{
    Running,
    Succeeded,
    Failed,

    /// <summary>It was stopped, by the process's end or by its caller.</summary>
    Stopped,
}

/// <summary>One attempt to compute one part of a job's results.</summary>
/// <param name="Id">Unique; of two runs of a job the later has the greater.</param>
/// <param name="Part">The part of the time whose results it makes, such as <c>2026-11-22</c>.</param>
/// <param name="Trigger"><c>schedule</c>, or the name of who asked.</param>
/// <param name="Attempt">Counts from 1.</param>
/// <param name="Node">The process that ran it.</param>
/// <param name="Error">Why it failed, with its code.</param>
public sealed record JobRun(
    string Id, string Job, string Part, string Trigger, int Attempt, string Node, JobRunState State,
    DateTimeOffset StartedAt, DateTimeOffset? EndedAt = null, long Rows = 0, long Bytes = 0, string? Error = null);
