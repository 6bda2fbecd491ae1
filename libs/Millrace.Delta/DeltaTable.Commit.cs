using Millrace.Delta.Log;
using Millrace.Primitives;

namespace Millrace.Delta;

public sealed partial class DeltaTable
{
    /// <summary>
    /// Tries to make the commit part of the table. A number is tried only when, right before it, every position stands
    /// where the commit begins. When the number is taken, or the store's answer was lost, the log is read on: our own
    /// commit id there means done; positions unmoved and all files to remove still there mean the next number; anything
    /// else means that another writer was faster. DL-0005 when the store keeps failing; then nothing is known, and the
    /// table's positions tell.
    /// </summary>
    /// <remarks>From the first try on, the commit's files may be part of the table: never delete them.</remarks>
    public async ValueTask<DeltaCommitResult> CommitAsync(DeltaCommit commit, CancellationToken ct = default)
    {
        var entry = ActionWriter.Write(ActionsOf(commit));
        var conflicts = 0;
        var lostAnswers = 0;
        while (true)
        {
            var snapshot = await RefreshAsync(ct).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"There is no table at {Root}; ensure it first.");
            if (!Stands(commit, snapshot))
                return new DeltaCommitResult(DeltaCommitOutcome.Superseded, -1, conflicts);
            if (_time.GetUtcNow() - commit.FilesWrittenAt > _options.VacuumSafeAge / 2)
                return new DeltaCommitResult(DeltaCommitOutcome.Expired, -1, conflicts);

            var version = snapshot.Version + 1;
            Exception? lost = null;
            try
            {
                if (await _log.TryWriteAsync(version, entry, ct).ConfigureAwait(false))
                    return new DeltaCommitResult(DeltaCommitOutcome.Committed, version, conflicts);
                conflicts++;
            }
            catch (Exception e) when (e is IOException or MillraceException or TimeoutException)
            {
                lost = e;
            }

            if (await FindAsync(commit.Id, version, ct).ConfigureAwait(false) is { } found)
                return new DeltaCommitResult(DeltaCommitOutcome.Committed, found, conflicts);
            if (lost is null) continue;
            if (++lostAnswers >= _options.CommitAttemptsMax)
                throw DeltaErrors.CommitFailed.With(_log.KeyOf(version), lost.Message).AsException(lost);
            await Task.Delay(_options.CommitRetryDelay * (1 << Math.Min(lostAnswers - 1, 10)), _time, ct)
                .ConfigureAwait(false);
        }
    }

    private List<DeltaAction> ActionsOf(DeltaCommit commit)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var blind = commit.Removes.Count == 0 && commit.Moves.Count == 0;
        return
        [
            new CommitInfo(commit.Id, now, commit.Operation, blind) { Details = commit.Details },
            .. commit.Moves.Select(move => new SetTransaction(move.AppId, move.To, now)),
            .. commit.Removes.Select(remove => remove with { DeletionTimestampMs = now }),
            .. commit.Adds,
        ];
    }

    private static bool Stands(DeltaCommit commit, DeltaSnapshot snapshot) =>
        commit.Moves.All(move => snapshot.PositionOf(move.AppId) == move.From)
        && commit.Rests.All(seen => snapshot.PositionOf(seen.AppId) == seen.At)
        && commit.Removes.All(remove => snapshot.Files.ContainsKey(remove.Path));

    /// <summary>
    /// The entry from <paramref name="version"/> on that carries our id. Reads the log itself and not the shared
    /// snapshot, which another thread may have moved past our entry.
    /// </summary>
    private async ValueTask<long?> FindAsync(string commitId, long version, CancellationToken ct)
    {
        while (await _log.ReadAsync(version, ct).ConfigureAwait(false) is { } actions)
        {
            if (actions.Any(action => action is CommitInfo info && info.Id == commitId)) return version;
            version++;
        }

        return null;
    }
}
