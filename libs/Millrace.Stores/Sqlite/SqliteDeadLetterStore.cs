using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.DeadLetters;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteDeadLetterStore(SqliteDatabase database, TimeProvider time) : IDeadLetterStore
{
    private const string List = "dead-letters";
    private const string Sink = "dead-letters";
    private const string Fields = "id, state, replays, updated_at, letter, failed_at";

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

        return database.ReadAsync(session =>
        {
            var rows = session.List(
                $"SELECT {Fields} FROM dead_letters WHERE (failed_at, id) < (?1, ?2) AND (?3 IS NULL OR stage = ?3) " +
                $"AND (?4 IS NULL OR query = ?4){OfState(filter.State)} ORDER BY failed_at DESC, id DESC LIMIT ?5",
                row => (Stored: Read(row), FailedAt: row.GetInt64(5)), at, id, filter.Stage, filter.Query,
                Columns.OneMore(filter.Limit));
            var page = Columns.Cut(rows, filter.Limit,
                last => ContinuationToken.Write(List, last.FailedAt, last.Stored.Id));
            return new Page<StoredDeadLetter>([.. page.Items.Select(i => i.Stored)], page.Continuation);
        }, ct);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM dead_letters"), ct);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Spelt out, so that the index of the letters that are to be replayed serves.</summary>
    private static string OfState(DeadLetterState? state) => state is { } one ? $" AND state = {(int)one}" : "";

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
