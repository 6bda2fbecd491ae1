using Microsoft.Extensions.Logging;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.EventLog;
using Millrace.ObjectStore;

namespace Millrace.Archiver;

/// <summary>
/// Makes a buffer's rows part of the table: dead letters first, then files, then the commit that moves rows and
/// positions together. What fails in between leaves files that no table knows, and nothing else.
/// </summary>
internal sealed class ArchiveWriter(
    ArchiveTopic topic,
    IObjectStore store,
    IEventLog log,
    ArchiverOptions options,
    ArchiverStatus status,
    ArchiverMetrics metrics,
    RecordClock clock,
    TimeProvider time,
    ILogger logger)
{
    private readonly DeadLetterTopic _letters = new(log);
    private readonly DeltaTable _table = topic.Table.Table;
    private volatile ArchiveLayout _layout = topic.LayoutOver(null);

    public ArchiveTopic Topic => topic;

    public RowBuffer NewBuffer() => new(_layout, options.RecordSizeMax.Bytes, topic.RollBytes, clock);

    /// <summary>Writes files for the table as it was opened last.</summary>
    public FileEncoder NewEncoder() => new(_layout, options.Compression, options.RowGroups);

    /// <summary>
    /// The table with all columns that are configured, made when it is missing. One that is there with another type
    /// stays, and the configured one stands beside it under a name with its type: no row waits for somebody to decide.
    /// </summary>
    public async ValueTask<DeltaSnapshot> OpenTableAsync(CancellationToken ct)
    {
        var known = await _table.RefreshAsync(ct).ConfigureAwait(false);
        _layout = topic.LayoutOver(known?.Schema);
        var snapshot = await _table.EnsureAsync(_layout.Schema, TelemetryTable.PartitionColumns, ct)
            .ConfigureAwait(false);
        if (topic.Output is null) status.SetArchived(snapshot.Files.Values.Sum(file => file.Stats?.Records ?? 0));
        return snapshot;
    }

    /// <summary>Writes the buffer's rows and moves these positions in one commit.</summary>
    /// <param name="rests">Positions that must not have moved.</param>
    public async ValueTask<DeltaCommitOutcome> WriteAsync(
        RowBuffer buffer, FileEncoder encoder, IReadOnlyList<PositionMove> moves, CancellationToken ct,
        IReadOnlyList<PositionSeen>? rests = null)
    {
        var startedAt = time.GetUtcNow();
        await AppendDeadLettersAsync(buffer.DeadLetters, ct).ConfigureAwait(false);
        var adds = new List<AddFile>();
        foreach (var file in encoder.Encode(buffer))
        {
            var add = file.ToAction(startedAt);
            await store.PutAsync(_table.KeyOf(add), file.Content, ct).ConfigureAwait(false);
            adds.Add(add);
        }

        var result = await topic.Table.CommitAsync(
            new DeltaCommit
            {
                Id = Guid.NewGuid().ToString(),
                Operation = "WRITE",
                Adds = adds,
                Moves = moves,
                Rests = rests ?? [],
                FilesWrittenAt = startedAt,
            },
            ct).ConfigureAwait(false);
        if (result.Outcome != DeltaCommitOutcome.Committed) return result.Outcome;

        var now = time.GetUtcNow();
        if (topic.Output is null) status.AddArchived(buffer.Count, now);
        foreach (var letter in buffer.DeadLetters) metrics.DeadLettered(topic.Output, letter.ErrorCode);
        foreach (var record in buffer.Traced) MessageSpans.Passed($"archive {topic.Name}", record, startedAt);
        metrics.Fenced(topic.Output, buffer.Fenced);
        metrics.Flushed(topic.Output, buffer.Count, adds.Count, adds.Sum(add => add.Bytes), now - startedAt);
        logger.Archived(buffer.Count, adds.Count, topic.Name, result.Version);
        return result.Outcome;
    }

    /// <summary>Makes the letters durable in their topic.</summary>
    public async ValueTask AppendDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken ct)
    {
        if (letters.Count == 0) return;
        await _letters.AppendAsync(letters.ToAsyncEnumerable(), null, ct).ConfigureAwait(false);
        logger.DeadLettered(letters.Count, letters[0].ErrorCode, letters[0].Reason);
    }
}
