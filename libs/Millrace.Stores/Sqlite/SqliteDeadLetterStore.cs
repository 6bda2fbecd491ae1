using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.DeadLetters;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteDeadLetterStore(SqliteDatabase database, TimeProvider time) : IDeadLetterStore
{
    private const string List = "dead-letters";
    private const string Sink = "dead-letters";
    private const string Fields = "id, state, replays, updated_at, letter";

    public ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<DeadLetter> letters, SinkPosition position, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (!SinkPositions.TrySave(session, Sink, partition, position)) return;
            foreach (var letter in letters) Upsert(session, letter);
        }, ct);

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        SinkPositions.FindAsync(database, Sink, partition, ct);

    public ValueTask<StoredDeadLetter?> FindAsync(string id, CancellationToken ct) =>
        database.ReadAsync(session => Find(session, id), ct);

    public ValueTask<bool> SetStateAsync(string id, DeadLetterState state, CancellationToken ct) =>
        database.WriteAsync(session => session.Run(
            "UPDATE dead_letters SET state = ?2, replays = replays + (?2 = ?4), updated_at = ?3 WHERE id = ?1 " +
            "AND (?2 <> ?4 OR state = ?5)",
            id, (int)state, Now, (int)DeadLetterState.Replaying, (int)DeadLetterState.Open) > 0, ct);

    public ValueTask<Page<StoredDeadLetter>> ListAsync(DeadLetterFilter filter, CancellationToken ct)
    {
        var (at, id) = (long.MaxValue, "");
        if (filter.Continuation is { } token)
        {
            var key = ContinuationToken.Read(List, token, 2);
            (at, id) = (ContinuationToken.Number(key[0], token), key[1]);
        }

        // As with alerts, what no index has together is looked at here; and a letter that does not fit is not read.
        var page = LookedLetter.Page(filter);
        var sql = $"SELECT {Fields}, failed_at, stage, query FROM dead_letters WHERE (failed_at, id) < (?1, ?2)" +
            $"{OfState(filter.State)} ORDER BY failed_at DESC, id DESC";
        return database.ReadAsync(session =>
        {
            var hasMore = session.ListUntil(sql, row => IsBehind(page, filter, row), isBehind => isBehind, at, id)
                .LastOrDefault();
            return LookedLetter.Letters(page.End(hasMore, last => ContinuationToken.Write(List, last.At, last.Id)));
        }, ct);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM dead_letters"), ct);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Those that are to be replayed have an index, which serves when the state is spelt out.</summary>
    private static string OfState(DeadLetterState? state) =>
        state == DeadLetterState.Replaying ? $" AND state = {(int)state}" : "";

    /// <summary>Whether the row belongs to the page after this one; else it is in it, if it is to be.</summary>
    private static bool IsBehind(FilteredPage<LookedLetter> page, DeadLetterFilter filter, SqliteDataReader row)
    {
        if (page.IsFull) return true;
        var fits = filter.Matches(row.GetString(6), row.TextOrNull(7))
            && filter.Matches((DeadLetterState)row.GetInt32(1));
        var looked = new LookedLetter(row.GetInt64(5), row.GetString(0), fits ? Read(row) : null);
        if (page.Takes(looked)) page.Add(looked);
        return false;
    }

    private void Upsert(SqliteSession session, DeadLetter letter)
    {
        var known = Find(session, letter.Id);
        if (known?.Letter.LastFailedAt >= letter.LastFailedAt) return;
        if (known is not null) letter = letter with { FirstFailedAt = known.Letter.FirstFailedAt };
        var state = known?.State is DeadLetterState.Replayed ? DeadLetterState.Replayed : DeadLetterState.Open;
        session.Run("INSERT OR REPLACE INTO dead_letters VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", letter.Id,
            letter.Stage, letter.Query, (int)state, known?.Replays ?? 0, letter.LastFailedAt.ToUnixTimeMilliseconds(),
            Now, JsonSerializer.Serialize(letter, ContractJson.Default.DeadLetter));
    }

    private static StoredDeadLetter? Find(SqliteSession session, string id) =>
        session.First($"SELECT {Fields} FROM dead_letters WHERE id = ?1", Read, id);

    private static StoredDeadLetter Read(SqliteDataReader row) => new(
        row.GetString(0), JsonSerializer.Deserialize(row.GetString(4), ContractJson.Default.DeadLetter)!,
        (DeadLetterState)row.GetInt32(1), row.GetInt32(2), row.Time(3));
}
