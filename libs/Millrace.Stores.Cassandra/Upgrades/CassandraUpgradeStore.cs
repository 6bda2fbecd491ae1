using Microsoft.Extensions.Logging;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Upgrades;

/// <summary>The keyspace's table of migrations says how far it is.</summary>
internal sealed class CassandraUpgradeStore(CassandraConnector connector, TimeProvider time, ILogger log)
    : IUpgradeStore
{
    public int Known => Migrations.All.Length;

    public ValueTask<UpgradeState> ReadAsync(CancellationToken ct) =>
        RunAsync((migrator, token) => migrator.ReadAsync(token), ct);

    public ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct) =>
        RunAsync((migrator, token) => migrator.FinaliseAsync(token), ct);

    private async ValueTask<UpgradeState> RunAsync(
        Func<Migrator, CancellationToken, Task<UpgradeState>> run, CancellationToken ct)
    {
        var session = await connector.SessionAsync(ct).ConfigureAwait(false);
        try
        {
            return await run(new Migrator(session, connector.Keyspace, Migrations.All, time, log), ct)
                .ConfigureAwait(false);
        }
        catch (CqlException e)
        {
            throw e.Told(connector.Keyspace);
        }
    }
}
