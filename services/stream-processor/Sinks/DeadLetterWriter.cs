using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Sinks;

/// <summary>Appends dead letters to their topic; durable when the call returns.</summary>
internal sealed class DeadLetterWriter(IEventLog log, DeadLetterLog told)
{
    private readonly DeadLetterTopic _topic = new(log);

    public ValueTask WriteAsync(IReadOnlyList<DeadLetter> letters, CancellationToken ct) =>
        letters.Count == 0 ? ValueTask.CompletedTask : WriteAsync(letters.ToAsyncEnumerable(), ct);

    /// <param name="areCounted">Whoever else writes the same letters counts them otherwise.</param>
    public ValueTask WriteAsync(IAsyncEnumerable<DeadLetter> letters, CancellationToken ct, bool areCounted = true) =>
        _topic.AppendAsync(letters, areCounted ? Count : null, ct);

    private void Count(DeadLetter letter)
    {
        StreamProcessorMetrics.DeadLetters.Add(1, StreamProcessorMetrics.Stage(letter.Stage));
        told.Add(letter);
    }
}
