using Millrace.Archiver.Upkeep;
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

    /// <summary>Its device was erased since: it makes no row, and the letter loses what it had of it.</summary>
    Erased,
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
            ReplayOutcome.Erased => "erased",
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
        var rests = letter.Key is { } device ? ArchiveRecords.OfDevice(snapshot, device, letter.Partition) : [];
        if (rests.Any(seen => letter.Offset < seen.At))
        {
            await writer.AppendDeadLettersAsync([ErasedLetters.WithoutContent(letter, now)], ct)
                .ConfigureAwait(false);
            return ReplayOutcome.Erased;
        }

        var buffer = writer.NewBuffer();
        buffer.Add(letter.ToRecord(), now);
        if (buffer.Count == 0)
        {
            var again = buffer.DeadLetters[0] with { FirstFailedAt = letter.FirstFailedAt, LastFailedAt = now };
            await writer.AppendDeadLettersAsync([again], ct).ConfigureAwait(false);
            return ReplayOutcome.FailedAgain;
        }

        using var encoder = writer.NewEncoder();
        var result = await writer.WriteAsync(buffer, encoder, [new PositionMove(letter.Id, null, Done)], ct, rests)
            .ConfigureAwait(false);
        return result switch
        {
            DeltaCommitOutcome.Committed => ReplayOutcome.Replayed,

            // It was replayed, or its device was erased, meanwhile.
            DeltaCommitOutcome.Superseded => await TryAsync(writer, letter, ct).ConfigureAwait(false),
            _ => throw DeltaErrors.CommitFailed.With(letter.Id, result.ToString()).AsException(),
        };
    }
}
