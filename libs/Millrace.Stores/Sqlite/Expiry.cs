namespace Millrace.Stores.Sqlite;

/// <summary>Removes old rows a little at a time, so that writers need not wait long.</summary>
internal static class Expiry
{
    private const int ChunkRows = 5_000;

    /// <param name="sql">Deletes rows before ?1 (ms since 1970), at most ?2 of them.</param>
    public static async ValueTask<long> InChunksAsync(
        SqliteDatabase database, string sql, DateTimeOffset before, CancellationToken ct)
    {
        for (var removed = 0L; ;)
        {
            var count = await database.WriteAsync(
                session => session.Run(sql, before.ToUnixTimeMilliseconds(), ChunkRows), ct);
            removed += count;
            if (count < ChunkRows) return removed;
        }
    }
}
