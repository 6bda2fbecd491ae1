using Millrace.Cql;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Cql;

/// <summary>
/// A real node for the tests of this namespace: the one that CASSANDRA_CONTACT_POINTS names, else one that is started
/// with the first test and ended after the last. Without either the tests are skipped.
/// </summary>
[SetUpFixture]
public sealed class CassandraNode
{
    private static EngineSet? _set;

    public static string[] ContactPoints { get; private set; } = [];

    public static int Port { get; private set; }

    /// <summary>The folder of the node when it is ours; its certificates and settings lie there.</summary>
    public static EngineSet? Set => _set;

    public static Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
    {
        var options = new CqlOptions { ContactPoints = ContactPoints, Port = Port };
        change?.Invoke(options);
        return CqlSession.ConnectAsync(options);
    }

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var points = Environment.GetEnvironmentVariable("CASSANDRA_CONTACT_POINTS");
        var port = Environment.GetEnvironmentVariable("CASSANDRA_PORT") ?? "9042";
        if (string.IsNullOrEmpty(points))
        {
            _set = await EngineSet.StartAsync("cassandra", 1);
            if (_set is null)
                Assert.Ignore("Set CASSANDRA_CONTACT_POINTS, or MILLRACE_ENGINES to a command that starts it.");
            (points, port) = (_set!.Variables["CASSANDRA_CONTACT_POINTS"], _set.Variables["CASSANDRA_PORT"]);
        }

        (ContactPoints, Port) = (points!.Split(','), int.Parse(port));
        await using var session = await ConnectAsync();
        await session.ExecuteAsync("CREATE KEYSPACE IF NOT EXISTS cql_tests WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }
}
