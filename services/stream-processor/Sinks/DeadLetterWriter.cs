using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Sinks;

/// <summary>Appends dead letters to their topic; durable when the call returns.</summary>
internal sealed class DeadLetterWriter(IEventLog log, DeadLetterLog told, TimeProvider time)
{
    private static readonly TopicPartition Target = new(Topics.DeadLetter, 0);

    /// <param name="areCounted">Whoever else writes the same letters counts them otherwise.</param>
    public async ValueTask WriteAsync(
        IReadOnlyList<DeadLetter> letters, CancellationToken ct, bool areCounted = true)
    {
        if (letters.Count == 0) return;
        using var records = new RecordBatchBuilder();
        foreach (var letter in letters)
        {
            records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), letter.Key, hasKey: letter.Key is not null);
            records.End(JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter));
        }

        await log.AppendAsync(Target, records, ct);
        if (!areCounted) return;
        foreach (var letter in letters)
        {
            StreamProcessorMetrics.DeadLetters.Add(1, StreamProcessorMetrics.Stage(letter.Stage));
            told.Add(letter);
        }
    }
}
