using System.Globalization;

namespace Millrace.TestKit.Servers;

/// <summary>
/// A Cassandra cluster for tests: the one that CASSANDRA_CONTACT_POINTS and CASSANDRA_PORT name, else a node that is
/// started for these tests and ended with them.
/// </summary>
public sealed class CassandraServers : IAsyncDisposable
{
    /// <summary>
    /// The option of nodes that acknowledge a write when it is on their disk, so that one that dies forgets nothing.
    /// </summary>
    public const string SyncBeforeAck = "-Dcassandra.config.allow_system_properties=true "
        + "-Dcassandra.settings.commitlog_sync=batch -Dcassandra.settings.commitlog_sync_period=0ms";

    private const string Variable = "CASSANDRA_CONTACT_POINTS";
    private const string PortVariable = "CASSANDRA_PORT";
    private readonly IServerSet? _set;

    private CassandraServers(string contactPoints, string port, IServerSet? set)
    {
        (ContactPoints, _set) = (contactPoints, set);
        Port = int.Parse(port, CultureInfo.InvariantCulture);
    }

    /// <summary>With commas between them.</summary>
    public string ContactPoints { get; }

    public int Port { get; }

    /// <summary>Null when there are none; then the reason says what to install.</summary>
    public static async Task<(CassandraServers? Servers, string Reason)> FindAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return (new CassandraServers(named, Environment.GetEnvironmentVariable(PortVariable) ?? "9042", null), "");
        var set = await ServerSets.StartAsync("cassandra");
        return set is null
            ? (null, ServerSets.Missing("Cassandra", Variable))
            : (new CassandraServers(set.Variables[Variable], set.Variables[PortVariable], set), "");
    }

    public async ValueTask DisposeAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }
}
