using Microsoft.Extensions.Logging;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Schema;

/// <summary>Makes a missing keyspace. One that is there is left as it is: its replication is the operator's.</summary>
internal sealed class KeyspaceMaker(CqlSession session, CassandraOptions options, ILogger log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public async Task EnsureAsync(CancellationToken ct)
    {
        var there = await session.ExecuteAsync(
            new SimpleStatement("SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
                options.Keyspace), ct).ConfigureAwait(false);
        if (there.Count > 0) return;
        var make = $"CREATE KEYSPACE IF NOT EXISTS {options.Keyspace} WITH replication = {Replication}";
        await session.ExecuteAsync(new SimpleStatement(make) { Timeout = Patience }, ct).ConfigureAwait(false);
        log.KeyspaceMade(options.Keyspace, Replication);
    }

    private string Replication
    {
        get
        {
            var factors = options.Replication.Count == 0
                ? [$"'replication_factor': {options.ReplicationFactor}"]
                : options.Replication.Select(factor => $"'{factor.Key}': {factor.Value}");
            return $"{{'class': 'NetworkTopologyStrategy', {string.Join(", ", factors)}}}";
        }
    }
}
