using Millrace.Cql;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Cql;

/// <summary>
/// A real node for the tests of this namespace: the one that CASSANDRA_CONTACT_POINTS names, else one that is started
/// for the first test that asks and ended after the last. Without either the tests are skipped.
/// </summary>
[SetUpFixture]
public sealed class CassandraNode
{
    private static readonly Lazy<Task> Started = new(StartAsync);
    private static EngineSet? _set;

    public static string[] ContactPoints { get; private set; } = [];

    public static int Port { get; private set; }

    public static async Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
    {
        await Started.Value;
        return await ConnectNowAsync(change);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }

    private static Task<CqlSession> ConnectNowAsync(Action<CqlOptions>? change = null)
    {
        var options = new CqlOptions { ContactPoints = ContactPoints, Port = Port };
        change?.Invoke(options);
        return CqlSession.ConnectAsync(options);
    }

    private static async Task StartAsync()
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
        await using var session = await ConnectNowAsync();

        // What an earlier run left on a node that is not ours: many tables take their time.
        var drop = new SimpleStatement("DROP KEYSPACE IF EXISTS cql_tests") { Timeout = TimeSpan.FromMinutes(2) };
        await session.ExecuteAsync(drop);
        await session.ExecuteAsync("CREATE KEYSPACE cql_tests WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    }
}
