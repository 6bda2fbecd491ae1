using Microsoft.Extensions.Logging;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Schema;

/// <summary>
/// Brings a keyspace to the newest schema. Its table <c>migrations</c> says which steps it has had. Of processes that
/// start at the same time one does it, under a lease, and the others wait.
/// </summary>
internal sealed class Migrator(
    CqlSession session, string keyspace, IReadOnlyList<Migration> migrations, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(CancellationToken ct)
    {
        if (await IsDoneAsync(ct).ConfigureAwait(false)) return;

        // No lease orders these two, so all processes have one node make them: two might make two of each at once.
        var node = session.Nodes.Where(one => one.IsUp && one.Datacenter == session.Datacenter)
            .MinBy(one => one.HostId);
        await MakeTableAsync("CREATE TABLE IF NOT EXISTS migrations(scope text, number int, name text, "
            + "applied_at timestamp, PRIMARY KEY(scope, number))", node, ct).ConfigureAwait(false);
        await MakeTableAsync(MigrationLock.Table, node, ct).ConfigureAwait(false);
        var turn = new MigrationLock(session);
        for (var waits = false; await NewestAsync(ct).ConfigureAwait(false) < migrations.Count;)
        {
            if (await turn.TryTakeAsync(ct).ConfigureAwait(false)) await ApplyAsync(turn, ct).ConfigureAwait(false);
            else
            {
                if (!waits) log.WaitsForMigrations(keyspace);
                waits = true;
                await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Does what is missing, as long as the lease is this process's.</summary>
    private async Task ApplyAsync(MigrationLock turn, CancellationToken ct)
    {
        // Another process may have done some, or all, before this one had its turn.
        for (var number = await NewestAsync(ct).ConfigureAwait(false) + 1; number <= migrations.Count; number++)
        {
            var migration = migrations[number - 1];
            foreach (var statement in migration.Statements)
            {
                if (!await turn.TryTakeAsync(ct).ConfigureAwait(false)) return;
                await MakeTableAsync(statement, null, ct).ConfigureAwait(false);
            }

            var record = new SimpleStatement(
                "INSERT INTO migrations(scope, number, name, applied_at) VALUES('schema', ?, ?, ?)", number,
                migration.Name, time.GetUtcNow());
            record.Idempotent = true;
            await session.ExecuteAsync(record, ct).ConfigureAwait(false);
            log.MigrationDone(number, migration.Name, keyspace);
        }

        await turn.ReleaseAsync(ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns when all nodes agree. Then a CREATE of the same table by another process, on whatever node, finds it and
    /// does nothing, so that no two tables of one name can come to be, one of which would be lost.
    /// </summary>
    private async Task MakeTableAsync(string statement, CqlNode? node, CancellationToken ct)
    {
        await session.ExecuteAsync(new SimpleStatement(statement) { Timeout = StatementTimeout, Node = node }, ct)
            .ConfigureAwait(false);
        if (!await session.WaitForSchemaAgreementAsync(ct).ConfigureAwait(false))
            throw new CqlException(CqlErrors.SchemaDisagreement.With(keyspace));
    }

    private async Task<bool> IsDoneAsync(CancellationToken ct)
    {
        try
        {
            return await NewestAsync(ct).ConfigureAwait(false) == migrations.Count;
        }
        catch (CqlServerException e) when (e.ServerCode == ServerErrorCode.Invalid)
        {
            // Not even that table is there.
            return false;
        }
    }

    /// <summary>The newest step that was done, 0 for none; ST-0005 for one that this version does not know.</summary>
    private async Task<int> NewestAsync(CancellationToken ct)
    {
        var newest = await session.ExecuteAsync(new SimpleStatement(
            "SELECT number FROM migrations WHERE scope = 'schema' ORDER BY number DESC LIMIT 1"), ct)
            .ConfigureAwait(false);
        var have = newest.Count == 0 ? 0 : newest[0].Get<int>(0);
        return have <= migrations.Count
            ? have
            : throw StoreErrors.SchemaNewer.With(keyspace,
                $"Its schema is number {have}; this version knows {migrations.Count}.").AsException();
    }
}
