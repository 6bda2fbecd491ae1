namespace Millrace.Stores.Sqlite;

/// <summary>One step of a schema. Its number is its place in the list, from 1.</summary>
internal sealed record Migration(string Name, string Sql);

/// <summary>Brings a database to the newest schema. Its table <c>migrations</c> says which steps it has had.</summary>
internal static class SqliteMigrations
{
    public static void Run(
        SqliteSession session, string path, IReadOnlyList<Migration> migrations, TimeProvider time)
    {
        // One transaction for all of it: other processes may start on the same file at the same time.
        session.Run("BEGIN IMMEDIATE");
        session.Run("CREATE TABLE IF NOT EXISTS migrations(number INTEGER PRIMARY KEY, name TEXT NOT NULL, " +
            "applied_at INTEGER NOT NULL)");
        var have = session.Scalar<long>("SELECT coalesce(max(number), 0) FROM migrations");
        if (have > migrations.Count)
        {
            throw StoreErrors.SchemaNewer
                .With(path, $"Its schema is number {have}; this version knows {migrations.Count}.").AsException();
        }

        for (var number = have + 1; number <= migrations.Count; number++)
        {
            var migration = migrations[(int)number - 1];
            session.Run(migration.Sql);
            session.Run("INSERT INTO migrations VALUES(?1, ?2, ?3)", number, migration.Name,
                time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        session.Run("COMMIT");
    }
}
