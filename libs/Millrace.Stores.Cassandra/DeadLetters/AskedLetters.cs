using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.DeadLetters;

/// <summary>A replay of a letter that was asked for.</summary>
/// <param name="Replays">Which of the letter's, from 1: no other has this number.</param>
/// <param name="FailedAt">When the letter had failed last, in microseconds since 1970.</param>
internal sealed record AskedLetter(string Id, int Replays, long FailedAt);

/// <summary>
/// Which letters are to be replayed, so that nobody walks all of them for the few. One is added before the letter says
/// so and removed after it says something else: the table may say too much, and the letter decides.
/// </summary>
internal sealed class AskedLetters(CassandraDatabase database)
{
    /// <summary>What is removed lies there for so long as a tombstone only.</summary>
    public const string Table = "CREATE TABLE IF NOT EXISTS dead_letters_asked(shard int, id text, replays int, "
        + "failed_at bigint, PRIMARY KEY(shard, id, replays)) WITH gc_grace_seconds = 600";

    // Stored: it never changes.
    private const int ShardCount = 8;

    private static readonly IReadOnlyList<int> All = [.. Enumerable.Range(0, ShardCount)];

    private static readonly StoreStatement Insert =
        new("INSERT INTO dead_letters_asked(shard, id, replays, failed_at) VALUES(?, ?, ?, ?)");
    private static readonly StoreStatement Delete =
        new("DELETE FROM dead_letters_asked WHERE shard = ? AND id = ? AND replays = ?");
    private static readonly StoreStatement Select =
        new("SELECT id, replays, failed_at FROM dead_letters_asked WHERE shard = ?");

    public async ValueTask AddAsync(AskedLetter letter, CancellationToken ct) => await database.RunAsync(
        Insert, ct, ShardOf(letter.Id), letter.Id, letter.Replays, letter.FailedAt).ConfigureAwait(false);

    public async ValueTask RemoveAsync(string id, int replays, CancellationToken ct) =>
        await database.RunAsync(Delete, ct, ShardOf(id), id, replays).ConfigureAwait(false);

    /// <summary>In no order.</summary>
    public async ValueTask<IEnumerable<AskedLetter>> ListAsync(CancellationToken ct) =>
        (await InFlight.SelectAsync(All, ct, (shard, token) => database.ListAsync(Select, Read, token, shard))
            .ConfigureAwait(false)).SelectMany(letters => letters);

    private static int ShardOf(string id) => Shards.Of(id) % ShardCount;

    private static AskedLetter Read(Row row) => new(row.Get<string>(0), row.Get<int>(1), row.Get<long>(2));
}
