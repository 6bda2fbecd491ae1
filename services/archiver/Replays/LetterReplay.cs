using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Archiver.Replays;

internal enum ReplayOutcome
{
    /// <summary>The row is part of the table now.</summary>
    Replayed,

    /// <summary>It was part of the table before.</summary>
    Known,

    /// <summary>It failed as before, and is a dead letter again.</summary>
    FailedAgain,
}

/// <summary>
/// Makes a dead letter's record a row under the letter's identity: the identity stands as a position in the same
/// commit, so a replay that is asked for twice, or was cut off, makes one row.
/// </summary>
internal sealed class LetterReplay(ArchiverMetrics metrics, TimeProvider time)
{
    private const long Done = 1;

    public async ValueTask<ReplayOutcome> RunAsync(
        ArchiveWriter writer, DeadLetter letter, CancellationToken ct)
    {
        var outcome = await TryAsync(writer, letter, ct).ConfigureAwait(false);
        metrics.Replayed(outcome switch
        {
            ReplayOutcome.Replayed => "replayed",
            ReplayOutcome.Known => "known",
            _ => "failed-again",
        });
        return outcome;
    }

    private async ValueTask<ReplayOutcome> TryAsync(
        ArchiveWriter writer, DeadLetter letter, CancellationToken ct)
    {
        var snapshot = await writer.OpenTableAsync(ct).ConfigureAwait(false);
        if (snapshot.PositionOf(letter.Id) is not null) return ReplayOutcome.Known;

        var now = time.GetUtcNow();
        var buffer = writer.NewBuffer();
        buffer.Add(letter.ToRecord(), now);
        if (buffer.Count == 0)
        {
            var again = buffer.DeadLetters[0] with { FirstFailedAt = letter.FirstFailedAt, LastFailedAt = now };
            await writer.AppendDeadLettersAsync([again], ct).ConfigureAwait(false);
            return ReplayOutcome.FailedAgain;
        }

        using var encoder = writer.NewEncoder();
        var result = await writer.WriteAsync(buffer, encoder, [new PositionMove(letter.Id, null, Done)], ct)
            .ConfigureAwait(false);
        return result switch
        {
            DeltaCommitOutcome.Committed => ReplayOutcome.Replayed,
            DeltaCommitOutcome.Superseded => ReplayOutcome.Known,
            _ => throw DeltaErrors.CommitFailed.With(letter.Id, result.ToString()).AsException(),
        };
    }
}
