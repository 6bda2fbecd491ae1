using System.Globalization;

namespace Millrace.TestKit.Servers;

/// <summary>
/// A Cassandra cluster for tests: the one that CASSANDRA_CONTACT_POINTS and CASSANDRA_PORT name, else a node that is
/// started by the engines command for these tests and ended with them.
/// </summary>
public sealed class CassandraServers : IAsyncDisposable
{
    private const string Variable = "CASSANDRA_CONTACT_POINTS";
    private const string PortVariable = "CASSANDRA_PORT";
    private readonly EngineSet? _set;

    private CassandraServers(string contactPoints, string port, EngineSet? set)
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
        var set = await EngineSet.StartAsync("cassandra", 1);
        return set is null
            ? (null, $"No Cassandra: set {Variable}, or MILLRACE_ENGINES to a command that starts it.")
            : (new CassandraServers(set.Variables[Variable], set.Variables[PortVariable], set), "");
    }

    public async ValueTask DisposeAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }
}
