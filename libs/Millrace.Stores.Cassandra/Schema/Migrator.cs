using Microsoft.Extensions.Logging;
using Millrace.Cql;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Schema;

/// <summary>
/// Brings a keyspace to the newest schema. Its table <c>migrations</c> says which steps it has had, and up to which one
/// it was finalised. Of processes that start at the same time one does it, under a lease, and the others wait.
/// </summary>
internal sealed class Migrator(
    CqlSession session, string keyspace, IReadOnlyList<Migration> migrations, TimeProvider time, ILogger log)
{
    private const string Step = "schema", Final = "finalised";
    private static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Does what is due; ST-0005 for a keyspace that is finalised for a newer version.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (await FindAsync(ct).ConfigureAwait(false) is not { } found || Due(found).Any())
        {
            await MakeOwnTablesAsync(ct).ConfigureAwait(false);
            await TakeTurnsAsync(ct).ConfigureAwait(false);
        }
        else if (found.Newest > migrations.Count) log.SchemaIsNewer(keyspace, found.Newest, migrations.Count);
    }

    public async Task<UpgradeState> ReadAsync(CancellationToken ct)
    {
        var progress = await HadAsync(ct).ConfigureAwait(false);
        return new UpgradeState(progress.Newest, migrations.Count, progress.Final);
    }

    /// <summary>
    /// Bars older versions first, and then takes the steps that waited: those that are left when this process dies are
    /// due at the next start of any.
    /// </summary>
    public async Task<UpgradeState> FinaliseAsync(CancellationToken ct)
    {
        var before = await ReadAsync(ct).ConfigureAwait(false);
        if (before.Schema > before.Known)
        {
            throw StoreErrors.FinalisedByOlder.With(keyspace,
                $"Its schema is number {before.Schema}; this version knows {before.Known}.").AsException();
        }

        if (before.Finalised < before.Known)
        {
            await RecordAsync(Final, before.Known, "upgrade", ct).ConfigureAwait(false);
            log.UpgradeFinalised(keyspace, before.Known);
        }

        await RunAsync(ct).ConfigureAwait(false);
        return await ReadAsync(ct).ConfigureAwait(false);
    }

    private async Task MakeOwnTablesAsync(CancellationToken ct)
    {
        // No lease orders these two, so all processes have one node make them: two might make two of each at once.
        var node = session.Nodes.Where(one => one.IsUp && one.Datacenter == session.Datacenter)
            .MinBy(one => one.HostId);
        await MakeTableAsync("CREATE TABLE IF NOT EXISTS migrations(scope text, number int, name text, "
            + "applied_at timestamp, PRIMARY KEY(scope, number))", node, ct).ConfigureAwait(false);
        await MakeTableAsync(MigrationLock.Table, node, ct).ConfigureAwait(false);
    }

    private async Task TakeTurnsAsync(CancellationToken ct)
    {
        var turn = new MigrationLock(session);
        for (var waits = false; Due(await HadAsync(ct).ConfigureAwait(false)).Any();)
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

    /// <summary>Does what is due, as long as the lease is this process's.</summary>
    private async Task ApplyAsync(MigrationLock turn, CancellationToken ct)
    {
        // Another process may have done some, or all, before this one had its turn.
        var progress = await HadAsync(ct).ConfigureAwait(false);
        if (progress is { Newest: 0, Final: 0 })
        {
            // A new keyspace has nothing that an older version could need.
            await RecordAsync(Final, migrations.Count, "new", ct).ConfigureAwait(false);
            progress = progress with { Final = migrations.Count };
        }

        foreach (var number in Due(progress))
        {
            var migration = migrations[number - 1];
            foreach (var statement in migration.Statements)
            {
                if (!await turn.TryTakeAsync(ct).ConfigureAwait(false)) return;
                await MakeTableAsync(statement, null, ct).ConfigureAwait(false);
            }

            await RecordAsync(Step, number, migration.Name, ct).ConfigureAwait(false);
            log.MigrationDone(number, migration.Name, keyspace);
        }

        await turn.ReleaseAsync(ct).ConfigureAwait(false);
    }

    /// <summary>The numbers of the steps to take, in order.</summary>
    private IEnumerable<int> Due(Progress progress) => Enumerable.Range(1, migrations.Count).Where(number =>
        !progress.Steps.Contains(number) && (!migrations[number - 1].AtFinalise || number <= progress.Final));

    private async Task RecordAsync(string scope, int number, string name, CancellationToken ct)
    {
        var record = new SimpleStatement("INSERT INTO migrations(scope, number, name, applied_at) VALUES(?, ?, ?, ?)",
            scope, number, name, time.GetUtcNow());
        record.Idempotent = true;
        await session.ExecuteAsync(record, ct).ConfigureAwait(false);
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

    /// <summary>Null when not even the table is there.</summary>
    private async Task<Progress?> FindAsync(CancellationToken ct)
    {
        try
        {
            return await HadAsync(ct).ConfigureAwait(false);
        }
        catch (CqlServerException e) when (e.ServerCode == ServerErrorCode.Invalid)
        {
            return null;
        }
    }

    /// <summary>What the keyspace has had; ST-0005 when it is finalised for a newer version.</summary>
    private async Task<Progress> HadAsync(CancellationToken ct)
    {
        var rows = await session.ExecuteAsync(
            new SimpleStatement("SELECT scope, number FROM migrations WHERE scope IN (?, ?)", Step, Final), ct)
            .ConfigureAwait(false);
        var steps = rows.Where(row => row.Get<string>(0) == Step).Select(row => row.Get<int>(1)).ToHashSet();
        var final = rows.Where(row => row.Get<string>(0) == Final).Select(row => row.Get<int>(1)).DefaultIfEmpty()
            .Max();
        return final <= migrations.Count
            ? new Progress(steps, final)
            : throw StoreErrors.SchemaNewer.With(keyspace,
                $"Its schema is finalised at number {final}; this version knows {migrations.Count}.").AsException();
    }

    /// <param name="Steps">The numbers of the steps that were taken.</param>
    /// <param name="Final">The newest number for which the keyspace was finalised, 0 for none.</param>
    private sealed record Progress(HashSet<int> Steps, int Final)
    {
        public int Newest => Steps.Count == 0 ? 0 : Steps.Max();
    }
}
